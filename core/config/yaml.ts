/**
 * Parses YAML in which a plain `${NAME}` may stand anywhere, between braces too: `{ api_key: ${KEY} }`, where
 * YAML itself would end the value. Texts come back masked; `unmask` restores them.
 */
export const parseMasked = (source: string): unknown => Bun.YAML.parse(source.replace(variable, mask))

/** Undoes what `parseMasked` did to a text. */
export const unmask = (text: string): string => text.replaceAll('\uE001', '{').replaceAll('\uE002', '}')

const variable = /\$\{[A-Za-z_][A-Za-z0-9_]*\}/g

// Private-use characters: ordinary letters to YAML, and in nobody's config.
const mask = (text: string) => text.replace('{', '\uE001').replace('}', '\uE002')
