import { type Part, type Shape, shapeOf } from './shape.ts'
import { isMapping, type Tree } from './tree.ts'

/**
 * Makes lists and mappings of the text that stands for them and forgets keys without a value (`api_key:`),
 * so that a value looks the same whether it came from YAML, from the environment or from a flag.
 */
export function normalise(part: Part, value: unknown): unknown {
  const shape = shapeOf(part, value)
  // what only a plugin or a backend understands stays as it was written; the environment's texts have been read already
  const read = typeof value === 'string' && shape.kind !== 'free' ? readText(shape, value) : value
  if (shape.kind === 'list') return Array.isArray(read) ? read.map(item => normalise(shape.item, item)) : read
  if (!isMapping(read)) return read
  if (shape.kind === 'record') return mapTree(read, (_, entry) => normalise(shape.value, entry))
  if (shape.kind !== 'mapping') return read
  return mapTree(read, (key, entry) => {
    if (entry === null) return undefined
    const inner = Object.hasOwn(shape.keys, key) ? shape.keys[key] : undefined
    return inner ? normalise(inner, entry) : entry
  })
}

/** Text from the environment as the value the schema expects there; text that does not fit stays as it is. */
export function readText(shape: Shape, text: string): unknown {
  const trimmed = text.trim()
  if (shape.kind === 'free') return readFree(trimmed)
  if (shape.kind === 'list') {
    const parsed = trimmed.startsWith('[') ? parseYaml(trimmed) : undefined
    if (Array.isArray(parsed)) return parsed
    return trimmed
      .split(',')
      .map(item => item.trim())
      .filter(item => item !== '')
  }
  const parsed = shape.kind !== 'scalar' && trimmed.startsWith('{') ? parseYaml(trimmed) : undefined
  return isMapping(parsed) ? parsed : text
}

// Nobody here knows what the plugin wants, so: as YAML would read it, unless that loses characters (007, 1.0).
function readFree(text: string): unknown {
  const parsed = parseYaml(text)
  const lossless = typeof parsed === 'object' ? parsed !== null : String(parsed) === text
  return lossless ? parsed : text
}

function parseYaml(text: string): unknown {
  try {
    return Bun.YAML.parse(text)
  } catch {
    return undefined
  }
}

function mapTree(tree: Tree, change: (key: string, value: unknown) => unknown): Tree {
  const changed = Object.entries(tree).map(([key, value]) => [key, change(key, value)] as const)
  return Object.fromEntries(changed.filter(([, value]) => value !== undefined))
}
