/** A vector of length one that depends on its text, so that a test can tell answers apart. */
export function vectorFor(text: string, dimensions = 4): number[] {
  const raw = Array.from({ length: dimensions }, (_, index) => Math.sin(text.length + index + 1))
  const length = Math.hypot(...raw)
  return raw.map(value => Math.fround(value / length))
}
