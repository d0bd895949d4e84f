const unitBytes: Readonly<Record<string, number>> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 }

/** Bytes of `33554432`, `32MiB` or `1.5 GB`; undefined for anything else, a unit as vague as `32M` included. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? []
  if (amount === undefined) return undefined
  const factor = unitBytes[unit ? unit.toLowerCase() : 'b']
  const bytes = Number(amount) * (factor ?? Number.NaN)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
