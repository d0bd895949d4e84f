import { seededRandom } from '../../../testing/random.ts'
import type { Path } from '../../tree.ts'

/** A text of YAML, and what it says. */
export interface RandomYaml {
  readonly text: string
  readonly value: unknown
  /** The key that was written twice, when that was asked for and the text has a mapping. */
  readonly repeated?: Path
}

const words = [
  'a',
  'b',
  'name',
  'port',
  'base_url',
  'x-y',
  'Zed',
  '7',
  'two words',
  'a:b',
  'c#d',
  "it's",
  'say "hi"',
  '- x',
  '{',
  '# no',
  '',
]
const texts = [
  ...words,
  'a: 1',
  'a: 1\nb: 2',
  'long text\nand more\n\nof it\n',
  '  leads',
  'ends  ',
  'http://h:1/x#y',
  '[a',
  '`',
  '%',
  '$X}',
  'ä🙂',
]

/** Writes a random object in a random mixture of the ways YAML has. The same seed gives the same text. */
export function randomYaml(seed: number, repeat = false): RandomYaml {
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T
  const chance = (share: number) => random() < share
  let places: Path[] = []

  const make = (depth: number, path: Path): unknown => {
    const kind = depth === 0 ? 'mapping' : depth > 4 ? 'scalar' : pick(['mapping', 'mapping', 'list', 'scalar', 'scalar'])
    const size = Math.floor(random() * 4) + (depth === 0 ? 1 : 0)
    if (kind === 'list') return Array.from({ length: size }, (_, index) => make(depth + 1, [...path, index]))
    if (kind === 'scalar') return pick([...texts, 1, -2.5, true, false, null])
    const keys = [...new Set(Array.from({ length: size }, () => pick(words)))]
    return Object.fromEntries(
      keys.map(key => {
        places.push([...path, key])
        return [key, make(depth + 1, [...path, key])]
      }),
    )
  }

  const quote = (text: string) => (chance(0.5) && !text.includes('\n') ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text))
  const isPlain = (text: string) => /^[A-Za-z][\w-]*( \w+)*$/.test(text) || text === 'a:b' || text === 'c#d' || text.startsWith('http')
  const scalar = (value: unknown): string => {
    if (typeof value !== 'string') return JSON.stringify(value)
    return isPlain(value) && !/^https?:/.test(value) && chance(0.7) ? value : quote(value)
  }
  const keyText = (key: string, inFlow: boolean) => (isPlain(key) && !(inFlow && key === 'a:b') && chance(0.7) ? key : quote(key))
  const entriesOf = (value: object, path: Path) => {
    const entries = Object.entries(value)
    const again = entries.find(([key]) => repeated && samePath(repeated, [...path, key]))
    return again ? [...entries, again] : entries
  }
  const flow = (value: unknown, path: Path): string => {
    if (typeof value !== 'object' || value === null) return scalar(value)
    const space = () => pick(['', ' ', '\n            ', ' # {a: 1, a: 2}\n            '])
    const inner = Array.isArray(value)
      ? value.map((item, index) => flow(item, [...path, index]))
      : entriesOf(value, path).map(([key, item]) => `${keyText(key, true)}: ${flow(item, [...path, key])}`)
    const [open, close] = Array.isArray(value) ? '[]' : '{}'
    return `${open}${space()}${inner.join(`,${space()} `)}${chance(0.1) && inner.length > 0 ? ',' : ''}${space()}${close}`
  }
  const tail = () => (chance(0.1) ? ' # a: 1' : '') + (chance(0.1) ? '\n' : '') + (chance(0.1) ? '\n      # a: 1' : '')

  /** What follows a `key:` or a `-`, with the space or the line between. */
  const after = (value: unknown, indent: number, path: Path, inList: boolean): string => {
    const mark = chance(0.1) ? ' &anchor' : ''
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
    if (typeof value === 'string' && !mark && /^\S[\s\S]*\S\n?$/.test(value) && chance(0.4)) {
      const style = pick(['|', '>'])
      if (style === '|' || !value.trimEnd().includes('\n')) {
        const pad = ' '.repeat(indent + 1 + Math.floor(random() * 3))
        const lines = value.replace(/\n$/, '').split('\n')
        return ` ${style}${value.endsWith('\n') ? '' : '-'}\n${lines.map(line => (line === '' ? '' : pad + line)).join('\n')}`
      }
    }
    if (typeof value !== 'object' || value === null || isEmpty || chance(0.3)) return `${mark} ${flow(value, path)}${tail()}`
    const deeper = indent + 1 + Math.floor(random() * 3)
    // a list may stand at the column of its key, a list or mapping right behind the dash
    if (Array.isArray(value) && !inList && chance(0.4)) return `${mark}${tail()}\n${block(value, indent, path)}`
    if (inList && mark === '' && chance(0.6)) return ` ${block(value, indent + 2, path).trimStart()}`
    return `${mark}${tail()}\n${block(value, deeper, path)}`
  }
  const block = (value: object, indent: number, path: Path): string => {
    const pad = ' '.repeat(indent)
    const lines = Array.isArray(value)
      ? value.map((item, index) => `${pad}-${after(item, indent, [...path, index], true)}`)
      : entriesOf(value, path).map(([key, item]) => `${pad}${keyText(key, false)}:${after(item, indent, [...path, key], false)}`)
    return lines.join(chance(0.1) ? '\n\n' : '\n')
  }

  const value = make(0, []) as object
  places = places.filter(path => path.length > 0)
  const repeated = repeat ? pick(places) : undefined
  const head = pick(['', '', '# a: 1\n', '---\n', '%YAML 1.2\n---\n'])
  return { text: `${head}${block(value, 0, [])}\n`, value, ...(repeated && { repeated }) }
}

const samePath = (one: Path, other: Path) => one.length === other.length && one.every((part, index) => part === other[index])
