import type { Config } from './schema.ts'
import { fileSchema } from './schema.ts'
import { section } from './settings.ts'
import { type Part, partAt, shapeOf } from './shape.ts'
import { formatPath, getPath, isMapping, type Path } from './tree.ts'

/** Names the source of every value of the config, by its path; lists count as one value. */
export function listSources(config: Config, sourceOf: (path: Path) => string): Map<string, string> {
  const sources = new Map<string, string>()
  const visit = (part: Part, value: unknown, path: Path) => {
    const shape = shapeOf(part, value)
    const keys = shape.kind === 'mapping' ? Object.keys(shape.keys) : shape.kind !== 'list' && isMapping(value) ? Object.keys(value) : []
    if (keys.length === 0 && path.length > 0) sources.set(formatPath(path), sourceOf(path))
    for (const key of keys) visit(partAt(shape, key) ?? part, getPath(value, [key]), [...path, key])
  }
  visit(fileSchema, config, [])
  visit(section, config.options, [])
  return sources
}
