/** A model that a path names, and what stands behind its name. */
export interface ModelPath {
  readonly model: string
  /** As it came, with the slash it begins with; empty when nothing stands there. */
  readonly rest: string
}

/** No model has a longer name. */
const longestName = 1024

/**
 * Finds the model in what stands behind `/upstream/` or `/logs/`: names may have slashes, encoded or not, and the longest one
 * that there is counts. The path is percent-encoded as it came, and known to be well formed.
 */
export function findModelPath(path: string, isModel: (name: string) => boolean): ModelPath | undefined {
  let name = ''
  let found: ModelPath | undefined
  for (let from = 0; from <= path.length && name.length <= longestName; ) {
    const slash = path.indexOf('/', from)
    const to = slash === -1 ? path.length : slash
    name += `${from === 0 ? '' : '/'}${decodeURIComponent(path.slice(from, to))}`
    if (isModel(name)) found = { model: name, rest: path.slice(to) }
    from = to + 1
  }
  return found
}
