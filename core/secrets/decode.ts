/** How often a text may have been encoded. One who wants a key in the log finds another way; this is for accidents. */
const mostTimes = 3

/** A text without its `%xx`, whatever of it is no valid encoding. The very text when there is none. */
export function decodePercent(text: string): string {
  let plain = text
  for (let times = 0; times < mostTimes && plain.includes('%'); times++) {
    plain = plain.replace(/(?:%[0-9a-f]{2})+/gi, run => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
  }
  return plain
}
