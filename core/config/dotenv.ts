/** What a `.env` file sets, and the numbers of the lines that make no sense. */
export interface Dotenv {
  readonly values: ReadonlyMap<string, string>
  readonly brokenLines: readonly number[]
}

const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=[^\S\n]*/
const quoted = /^(?:"((?:[^"\\]|\\[\s\S])*)"|'([^']*)')[^\S\n]*(?:#.*)?(?=\n|$)/
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/**
 * Reads `KEY=VALUE` lines: `export` in front, quotes, comments; quoted values may span lines.
 * Nothing is interpolated, because a `$` is common in passwords.
 */
export function parseDotenv(source: string): Dotenv {
  const values = new Map<string, string>()
  const brokenLines: number[] = []
  let rest = source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  let line = 1
  while (rest !== '') {
    const { length, entry, broken } = readEntry(rest)
    if (entry) values.set(...entry)
    if (broken) brokenLines.push(line)
    line += rest.slice(0, length).split('\n').length - 1
    rest = rest.slice(length)
  }
  return { values, brokenLines }
}

interface Entry {
  readonly length: number
  readonly entry?: readonly [string, string]
  readonly broken?: boolean
}

function readEntry(rest: string): Entry {
  const end = rest.indexOf('\n')
  const text = end < 0 ? rest : rest.slice(0, end)
  const length = end < 0 ? rest.length : end + 1
  if (/^\s*(#|$)/.test(text)) return { length }
  const head = assignment.exec(text)
  if (head?.[1] === undefined) return { length, broken: true }
  const value = rest.slice(head[0].length)
  const match = quoted.exec(value)
  if (match) {
    const plain = match[2] ?? (match[1] ?? '').replace(/\\([\s\S])/g, (_, char: string) => escapes[char] ?? char)
    return { length: Math.min(head[0].length + match[0].length + 1, rest.length), entry: [head[1], plain] }
  }
  if (/^["']/.test(value)) return { length, broken: true }
  // A comment needs a space before it, so that `API_KEY=a#b` keeps its `#b`.
  const bare = text.slice(head[0].length).replace(/(^|\s)#.*$/, '')
  return { length, entry: [head[1], bare.trim()] }
}
