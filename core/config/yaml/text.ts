/** The lexical half of looking at YAML as it is written: all positions are indices into one text with `\n` as its line ends. */
export interface YamlText {
  readonly text: string
  /** The line a position is in, from 1. */
  lineOf(at: number): number
}

/** Thrown where the text goes beyond what is understood here; the parser understands more. */
export class NotUnderstood extends Error {
  override readonly name = 'NotUnderstood'
}

/** Prepares a text. */
export function yamlText(source: string): YamlText {
  const text = source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const starts = [0]
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  return {
    text,
    lineOf(at) {
      let [low, high] = [0, starts.length]
      while (high - low > 1) {
        const middle = (low + high) >> 1
        if ((starts[middle] as number) <= at) low = middle
        else high = middle
      }
      return low + 1
    },
  }
}

/** True for what may stand behind a `-`, a `?` or a `:` that means something: a space, or the end of line or text. */
export const isGap = (char: string | undefined): boolean => char === undefined || char === ' ' || char === '\t' || char === '\n'

/** The position of the first character that is no space. */
export function skipBlanks(text: string, at: number): number {
  let end = at
  while (text[end] === ' ' || text[end] === '\t') end++
  return end
}

/** The beginning of the next line. */
export function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}

/** True when nothing but a comment stands in the rest of the line. */
export const isLineEnd = (text: string, at: number): boolean =>
  text[at] === undefined || text[at] === '\n' || (text[at] === '#' && (at === 0 || isGap(text[at - 1])))

/** Past the anchor and the tag in front of a node. */
export function skipProperties(text: string, at: number, ends = ''): number {
  let end = at
  while (text[end] === '&' || text[end] === '!') {
    while (!isGap(text[end]) && !ends.includes(text[end] as string)) end++
    end = skipBlanks(text, end)
  }
  return end
}

/** Past the end of a text in quotes. */
export function skipQuoted(text: string, at: number): number {
  const quote = text[at]
  for (let end = at + 1; end < text.length; end++) {
    if (quote === '"' && text[end] === '\\') end++
    else if (text[end] !== quote) continue
    else if (quote === "'" && text[end + 1] === "'") end++
    else return end + 1
  }
  throw new NotUnderstood()
}

/** What a key in quotes says. */
export function unquote(token: string): string {
  if (!/[\\\n]/.test(token)) return token.startsWith("'") ? token.slice(1, -1).replaceAll("''", "'") : token.slice(1, -1)
  return String(Bun.YAML.parse(token))
}
