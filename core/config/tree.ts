/** Keys from the root of the config to one value; list positions are numbers. */
export type Path = readonly (string | number)[]

/** A mapping as YAML gives it, before it is checked. */
export type Tree = Record<string, unknown>

/** True for a plain mapping, false for lists, null and scalars. */
export const isMapping = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands at `path`, undefined when nothing does. */
export function getPath(tree: unknown, path: Path): unknown {
  let value = tree
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Tree)[key]
  }
  return value
}

/** Puts a value at `path`; a scalar in the way gives place to a mapping. */
export function setPath(tree: Tree, path: Path, value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    // Not an assignment: a key called __proto__ must stay an ordinary key.
    Object.defineProperty(tree, key, { value, writable: true, enumerable: true, configurable: true })
    return
  }
  const next = getPath(tree, [key])
  const child = isMapping(next) ? next : {}
  setPath(tree, [key], child)
  setPath(child, rest, value)
}

/** `models[0].targets[1].backend`. */
export const formatPath = (path: Path): string =>
  path
    .map((key, index) =>
      typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${/^[\w.-]+$/.test(key) ? key : JSON.stringify(key)}`,
    )
    .join('')
