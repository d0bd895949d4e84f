/**
 * The words of a command line, or undefined when a quote is never closed. As in a shell, but nothing is run or looked up:
 * words are apart by white space (line ends too), '…' is as it stands, "…" is one word, a backslash takes the meaning of
 * a quote, a space, a line end or another backslash. Before anything else it is a backslash, so that C:\models is a path.
 */
export function splitCommand(text: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    const next = text[at + 1] ?? ''
    if (quote === '' && char === '\\' && /^\r?\n/.test(text.slice(at + 1, at + 3))) continue
    if (char === '\\' && escaped(quote).test(next)) {
      word = (word ?? '') + next
      at++
    } else if (char === quote) quote = ''
    else if (quote !== '') word += char
    else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (!/\s/.test(char)) word = (word ?? '') + char
    else if (word !== undefined) {
      words.push(word)
      word = undefined
    }
  }
  if (quote !== '') return undefined
  return word === undefined ? words : [...words, word]
}

const escaped = (quote: string): RegExp => (quote === "'" ? /^$/ : quote === '"' ? /^["\\]$/ : /^[\s"'\\]$/)

/** What is wrong with a command line, to be read behind its name; undefined when nothing is. */
export function unusableCommand(text: string): string | undefined {
  const words = splitCommand(text)
  if (!words) return 'has a quote that is never closed'
  return words[0] ? undefined : 'must begin with the name of a program'
}
