import { Glob } from 'bun'

const root = new URL('../..', import.meta.url).pathname
const files = ['*.md', 'core/**/*.md', 'core/**/*.ts'].flatMap(pattern => [...new Glob(pattern).scanSync(root)]).sort()
const all = (await Promise.all(files.map(file => Bun.file(root + file).text()))).join('\n')

/** So many characters of this repository's own prose and code; another stretch of it for each `nth`. */
export function prose(length: number, nth = 0): string {
  const from = (nth * 7919) % all.length
  let text = all.slice(from, from + length)
  while (text.length < length) text += all.slice(0, length - text.length)
  return text
}
