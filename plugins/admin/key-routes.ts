import { type Gateway, generateKey, type Route } from 'gatehouse'
import { answer, deleted, notFound } from './answers.ts'
import { authorOf, unlessRefused, write } from './change.ts'
import { createKeyBodies, refusePast } from './key-fields.ts'
import { presentKey } from './key-view.ts'
import { readId, readPage, readQuery, readSearch, readVersion } from './query.ts'

const common = { access: 'admin', limited: true } as const

/** `/admin/keys`: the managed keys. A secret is in the answer that made it, and nowhere else. */
export function keyRoutes({ records: { keys }, ledger, config, routes }: Gateway, now: () => number = Date.now): Route[] {
  const bodies = createKeyBodies(config, routes)

  return [
    {
      ...common,
      method: 'GET',
      path: '/admin/keys',
      body: 'none',
      async handle({ url }) {
        const query = readQuery(url, ['limit', 'after', 'search'])
        const { rows, next, total } = await keys.list({ ...readPage(query), ...readSearch(query.search) })
        return answer({ data: await Promise.all(rows.map(key => presentKey(key, ledger))), next, total })
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/admin/keys',
      body: 'json',
      async handle(ctx) {
        readQuery(ctx.url, [])
        const settings = bodies.create(ctx.payload)
        refusePast(settings, now())
        const { secret, ...stored } = generateKey()
        const key = await write(ctx, () => keys.create(settings, stored, authorOf(ctx)))
        return answer({ ...(await presentKey(key, ledger)), key: secret }, 201)
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/admin/keys/:id',
      body: 'none',
      async handle(ctx) {
        readQuery(ctx.url, [])
        const id = readId(ctx)
        const key = await keys.get(id)
        if (!key) throw notFound('key', id)
        return answer(await presentKey(key, ledger))
      },
    },
    {
      ...common,
      method: 'PUT',
      path: '/admin/keys/:id',
      body: 'json',
      async handle(ctx) {
        readQuery(ctx.url, [])
        const id = readId(ctx)
        const { change, version } = bodies.change(ctx.payload)
        const before = await keys.get(id)
        refusePast(change, now(), before)
        const result = await write(ctx, () => keys.update(id, change, authorOf(ctx), version))
        return answer(await presentKey(await unlessRefused(result, 'key', id, keys), ledger))
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/admin/keys/:id',
      body: 'none',
      async handle(ctx) {
        const id = readId(ctx)
        const version = readVersion(ctx.url)
        await unlessRefused(await write(ctx, () => keys.delete(id, authorOf(ctx), version)), 'key', id, keys)
        return deleted()
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/admin/keys/:id/rotate',
      body: 'json',
      async handle(ctx) {
        readQuery(ctx.url, [])
        const id = readId(ctx)
        const { graceMs, version } = bodies.rotation(ctx.payload)
        const { secret, ...stored } = generateKey()
        const graceUntil = graceMs > 0 ? now() + graceMs : null
        const result = await write(ctx, () => keys.rotate(id, stored, graceUntil, authorOf(ctx), version))
        return answer({ ...(await presentKey(await unlessRefused(result, 'key', id, keys), ledger)), key: secret })
      },
    },
  ]
}
