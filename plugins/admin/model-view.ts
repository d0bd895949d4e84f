import { type Config, fold, type ModelRecord, type Models, type PageRequest } from 'gatehouse'

/** A model as the admin API shows it; every field is always there. */
export interface ShownModel {
  readonly id: number
  readonly name: string
  readonly backend: string
  readonly base_url: string | null
  readonly upstream_model: string | null
  readonly enabled: boolean
  readonly source: 'config' | ModelRecord['source']
  readonly version: number
  /** The config says what this name means, so that this model counts for nothing. */
  readonly shadowed: boolean
}

/** One of the database. */
export const presentModel = (row: ModelRecord, { configured }: Pick<Models, 'configured'>): ShownModel => ({
  id: row.id,
  name: row.name,
  backend: row.backend,
  base_url: row.baseUrl,
  upstream_model: row.upstreamModel,
  enabled: row.enabled,
  source: row.source,
  version: row.version,
  shadowed: configured(row.name),
})

/**
 * Those of the config, which have ids below zero: the first is -1. Of several targets the first is shown. Where gatehouse
 * runs the model itself, `backend` is `process`.
 */
export const configModels = ({ models }: Pick<Config, 'models'>): readonly ShownModel[] =>
  models.map(({ name, targets: [first] }, index) => ({
    id: -1 - index,
    name,
    backend: first?.backend ?? 'process',
    base_url: null,
    upstream_model: first?.model ?? null,
    enabled: true,
    source: 'config',
    version: 1,
    shadowed: false,
  }))

/** The part of a page that comes from the config. It stands in front of the database, and `after` counts down in it. */
export function pageOfConfig(all: readonly ShownModel[], { after = 0, limit, search = '' }: PageRequest & { readonly search?: string }) {
  const found = all.filter(({ name }) => fold(name).includes(fold(search)))
  const behind = after > 0 ? [] : found.filter(({ id }) => id < after)
  return { rows: behind.slice(0, limit), total: found.length, more: behind.length > limit }
}
