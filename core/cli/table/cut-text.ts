const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Text that takes so much room at most, with `…` where something is left out. Characters that are drawn as one stay together. */
export function cutText(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text
  let cut = ''
  let taken = 1 // the dots
  for (const { segment } of graphemes.segment(text)) {
    taken += Bun.stringWidth(segment)
    if (taken > width) break
    cut += segment
  }
  return width < 1 ? '' : `${cut}…`
}
