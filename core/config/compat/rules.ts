import type { Draft } from '../draft.ts'
import { fileSchema } from '../schema.ts'
import { formatPath, isMapping, type Path, setPath, type Tree } from '../tree.ts'

/** Where one value of an older gateway's config stands, and what can be done with it. */
export interface Spot {
  readonly draft: Draft
  /** Sets `path` of our config. */
  put(path: Path, value: unknown): void
  /** Says what is wrong with the value. The start fails with it. */
  complain(message: string): void
  warn(message: string): void
  /** The spot of a part of the value. */
  at(below: Path): Spot
}

/** What becomes of the values of an older gateway's config: by key, a mapping of more rules or what to do. */
export interface Rules {
  readonly [key: string]: Rules | Take
}

/** Takes one value over. */
export type Take = (value: unknown, spot: Spot) => void

/** The value becomes the setting at `path`. */
export const to =
  (path: Path, read: (value: unknown) => unknown = value => value): Take =>
  (value, spot) =>
    spot.put(path, read(value))

/** The key meant something there and means nothing here. */
export const needless: Take = () => {}

/** The key has no counterpart, and somebody may miss it. */
export const notTakenOver =
  (why: string): Take =>
  (_, spot) =>
    spot.warn(`is not taken over; ${why}`)

/** Text, also where YAML read a number: the Go programs took `api_key: 123456` as text. */
export const asText = (value: unknown): unknown => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : value)

/** Reads the mappings of a list, each at its own spot; anything else is left for the schema to complain about. */
export const mapItems = (value: unknown, spot: Spot, read: (item: Tree, spot: Spot) => unknown): unknown =>
  Array.isArray(value) ? value.map((item, index) => (isMapping(item) ? read(item, spot.at([index])) : item)) : value

/** What `applyRules` works on. */
export interface Source {
  readonly draft: Draft
  readonly rules: Rules
  /** The file. */
  readonly label: string
  /** The gateway's name, for messages. */
  readonly title: string
  /** Go's viper took keys in any case. */
  readonly anyCase: boolean
}

/** Lays the values of an older gateway's config over the draft. Keys that nobody knows are warned of. */
export function applyRules(source: Source, tree: Tree, at: Path = [], rules: Rules = source.rules): void {
  for (const [written, value] of Object.entries(tree)) {
    // Go's zero value: the same as nothing
    if (value === null || value === '') continue
    const name = source.anyCase ? written.toLowerCase() : written
    const path = [...at, written]
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    const spot = spotAt(source.draft, source.label, path)
    if (typeof rule === 'function') rule(value, spot)
    else if (rule === undefined && at.length === 0 && Object.hasOwn(fileSchema.entries, name)) spot.warn(ours(source.title))
    else if (rule === undefined) warnUnknown(spot, name, Object.keys(rules), source.title)
    else if (isMapping(value)) applyRules(source, value, path, rule)
    else spot.complain(`must be a mapping such as { ${Object.keys(rule)[0]}: … }`)
  }
}

const ours = (title: string) => `is ignored, because this is a config of ${title}; in gatehouse.yaml it would count`

/** What can be done with the value at a path of an older gateway's config. */
export function spotAt(draft: Draft, label: string, at: Path): Spot {
  return {
    draft,
    put(path, value) {
      setPath(draft.tree, path, value)
      draft.origins.note(path, label, at)
    },
    complain: message => void draft.problems.push({ path: at, message, source: label }),
    warn: message => void draft.warnings.push(`${label}: ${formatPath(at)}: ${message}`),
    at: below => spotAt(draft, label, [...at, ...below]),
  }
}

/** Warns of a key that an older gateway's config has, but neither it nor gatehouse knows. */
export const warnUnknown = (spot: Spot, name: string, known: readonly string[], title: string): void =>
  spot.warn(`is ignored, because gatehouse knows no such setting of ${title}${spot.draft.didYouMean(name, known)}`)

/** The rules one by one, with the path each stands for. */
export function listRules(rules: Rules, at: readonly string[] = []): { readonly path: readonly string[]; readonly take: Take }[] {
  return Object.entries(rules).flatMap(([key, rule]) =>
    typeof rule === 'function' ? [{ path: [...at, key], take: rule }] : listRules(rule, [...at, key]),
  )
}
