import { nothing, type Row, words, yesNo } from '../table/texts.ts'
import type { Column } from '../table.ts'

/** Models as a table. */
export const modelColumns: readonly Column<Row>[] = [
  // those of the config have ids that no task takes
  { name: 'ID', right: true, text: ({ id, source }) => (source === 'config' ? nothing : words(id)) },
  { name: 'NAME', least: 16, text: ({ name }) => words(name) },
  { name: 'BACKEND', least: 8, text: ({ backend }) => words(backend) },
  { name: 'BASE URL', least: 12, spare: 1, text: ({ base_url: url }) => words(url) },
  { name: 'UPSTREAM MODEL', least: 12, spare: 2, text: ({ upstream_model: name }) => words(name) },
  { name: 'ENABLED', text: ({ enabled }) => yesNo(enabled) },
  { name: 'SOURCE', text: model => `${words(model.source)}${isShadowed(model) ? ' (hidden)' : ''}` },
]

/** A model with everything that is known of it. */
export const modelFields = (model: Row): readonly (readonly [string, string])[] => [
  ['id', words(model.id)],
  ['name', words(model.name)],
  ['backend', words(model.backend)],
  ['base url', words(model.base_url)],
  ['upstream model', words(model.upstream_model)],
  ['enabled', yesNo(model.enabled)],
  ['source', words(model.source)],
  ['version', words(model.version)],
]

/** True where the config file has a model of the same name, which counts in its place. */
export const isShadowed = ({ shadowed }: Row): boolean => shadowed === true
