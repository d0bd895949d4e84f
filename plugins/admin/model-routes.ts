import type { Gateway, ModelRecord, ModelSettings, PageRequest, Route, RouteContext } from 'gatehouse'
import { answer, conflict, deleted, notFound, versionConflict } from './answers.ts'
import { authorOf, unlessRefused, write } from './change.ts'
import { readModel, readModelChange } from './model-fields.ts'
import { checkPlace, type Place } from './model-place.ts'
import { configModels, pageOfConfig, presentModel } from './model-view.ts'
import { readId, readPage, readQuery, readSearch, readVersion } from './query.ts'

const common = { access: 'admin', limited: true } as const

/** Whoever says no version means the model as it is; somebody else may just be changing it. */
const mostTries = 5

/** `/admin/models`: those of the config, to look at, and those of the database. A change counts for the next request. */
export function modelRoutes({ records, models, config }: Gateway): Route[] {
  const { models: rows } = records
  const fromConfig = configModels(config)
  const present = (row: ModelRecord) => presentModel(row, models)

  /** The id of a model that may be changed. */
  const changeable = (ctx: RouteContext): number => {
    const id = readId(ctx)
    if (id > 0) return id
    throw fromConfig.some(model => model.id === id) ? readOnly() : notFound('model', id)
  }
  const inForce = async (row: ModelRecord, status = 200) => {
    await models.settled()
    return answer(present(row), status)
  }
  const update = async (
    ctx: RouteContext,
    id: number,
    change: Partial<ModelSettings>,
    version: number | undefined,
  ): Promise<ModelRecord> => {
    for (let tries = 1; ; tries++) {
      const row = await rows.get(id)
      if (!row) throw notFound('model', id)
      if (version !== undefined && version !== row.version) throw versionConflict('model', row.version)
      const whole = { ...row, ...change }
      // a model whose backend is no longer configured can still be disabled
      const place: Partial<Place> = samePlace(whole, row) ? {} : checkPlace(whole, change, models, config, ctx)
      const result = await write(ctx, () => rows.update(id, { ...change, ...place }, authorOf(ctx), row.version))
      if (result === 'taken') throw taken(whole.name)
      if (result !== 'conflict' || version !== undefined || tries === mostTries) return unlessRefused(result, 'model', id, rows)
    }
  }

  return [
    {
      ...common,
      method: 'GET',
      path: '/admin/models',
      body: 'none',
      async handle({ url }) {
        const query = readQuery(url, ['limit', 'after', 'search'])
        const page: PageRequest & { readonly search?: string } = { ...readPage(query, -fromConfig.length), ...readSearch(query.search) }
        const first = pageOfConfig(fromConfig, page)
        // one row is asked for in any case, to know whether there is a next page
        const limit = page.limit - first.rows.length
        const { rows: found, next, total } = await rows.list({ ...page, after: Math.max(page.after ?? 0, 0), limit: Math.max(limit, 1) })
        const data = [...first.rows, ...(limit > 0 ? found.map(present) : [])]
        const more = first.more || (limit > 0 ? next !== null : found.length > 0)
        return answer({ data, next: more ? (data.at(-1)?.id ?? null) : null, total: first.total + total })
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/admin/models',
      body: 'json',
      async handle(ctx) {
        readQuery(ctx.url, [])
        const settings = readModel(ctx.payload)
        const place = checkPlace(settings, settings, models, config, ctx)
        const made = await write(ctx, () => rows.create({ ...settings, ...place }, 'admin', authorOf(ctx)))
        if (made === 'taken') throw taken(settings.name)
        return inForce(made, 201)
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/admin/models/:id',
      body: 'none',
      async handle(ctx) {
        readQuery(ctx.url, [])
        const id = readId(ctx)
        const row = id > 0 ? await rows.get(id) : undefined
        const shown = row ? present(row) : fromConfig.find(model => model.id === id)
        if (!shown) throw notFound('model', id)
        return answer(shown)
      },
    },
    {
      ...common,
      method: 'PUT',
      path: '/admin/models/:id',
      body: 'json',
      async handle(ctx) {
        readQuery(ctx.url, [])
        const { change, version } = readModelChange(ctx.payload)
        return inForce(await update(ctx, changeable(ctx), change, version))
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/admin/models/:id',
      body: 'none',
      async handle(ctx) {
        const id = changeable(ctx)
        const version = readVersion(ctx.url)
        await unlessRefused(await write(ctx, () => rows.delete(id, authorOf(ctx), version)), 'model', id, rows)
        await models.settled()
        return deleted()
      },
    },
  ]
}

const samePlace = (a: Place, b: Place) => a.backend === b.backend && a.baseUrl === b.baseUrl

const taken = (name: string) => conflict('name_taken', `There already is a model called "${name}".`, 'name')

const readOnly = () => conflict('read_only', 'This model stands in the config file; change it there.', 'id')
