/**
 * LlamaGate's own examples write `- @scope/package`, which YAML forbids: `@` may not begin a value. It never
 * noticed, because it passed over files it could not read. Puts such values in quotes.
 */
export const quoteAt = (source: string): string =>
  source.replace(
    /^(\s*(?:-\s+)*(?:[\w.-]+:\s+)?)(@[^\s#]+(?: +[^\s#]+)*)(?=\s*$|\s+#)/gm,
    (_, before: string, value: string) => `${before}"${value}"`,
  )
