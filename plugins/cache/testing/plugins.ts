/** A request is that of a managed key when a header says so; `x-scope` is the word of the key on its answers. Stands above. */
export const managedKeys = `
  import { definePlugin } from 'gatehouse'
  export default definePlugin({ name: 'keys', setup: () => ({
    handle(ctx, next) {
      const id = ctx.request.headers.get('x-managed')
      const cacheScope = ctx.request.headers.get('x-scope') ?? undefined
      if (id) ctx.principal = { id, kind: 'key', ...(cacheScope && { cacheScope }) }
      return next()
    },
  }) })`

/** Refuses one key, whose id is the status, once as many requests are in flight as its header says. Stands below. */
export const refusesSome = `
  import { definePlugin, GatewayError } from 'gatehouse'
  export default definePlugin({ name: 'refuses', setup: (_, { exchanges }) => ({
    async handle(ctx, next) {
      const status = Number(ctx.principal.id)
      if (!status) return next()
      while (exchanges.list().length < Number(ctx.request.headers.get('x-wait'))) await Bun.sleep(1)
      if (ctx.request.headers.get('x-how') === 'returned') return new Response('not you', { status })
      throw new GatewayError(status, 'insufficient_quota', 'insufficient_quota', 'not you')
    },
  }) })`

/** Writes into the log what it sees of each generation, and of each request when it stands above. */
export const witness = (name: string) => `
  import { definePlugin } from 'gatehouse'
  export default definePlugin({ name: '${name}', setup: (_, { log }) => ({
    handle(ctx, next) {
      const seen = []
      const say = (what, more) => log.info({ ...more, what, id: ctx.id }, '${name}')
      ctx.observe({
        chunk: bytes => seen.push(Buffer.from(bytes)),
        end: outcome => say('end', { outcome, bytes: Buffer.concat(seen).toString() }),
      })
      ctx.onSettled(outcome => say('settled', { outcome, usage: { ...ctx.usage }, options: ctx.payload.stream_options ?? null }))
      return next()
    },
  }) })`

/** Takes something that must be given back, after a while in which its request may have ended. Stands below. */
export const borrows = `
  import { definePlugin } from 'gatehouse'
  export default definePlugin({ name: 'borrows', setup: (_, { log, exchanges }) => ({
    async handle(ctx, next) {
      log.info('waits')
      while (exchanges.list().length > 0) await Bun.sleep(1)
      ctx.observe({ end: outcome => log.info({ outcome }, 'seen') })
      ctx.onSettled(outcome => log.info({ outcome }, 'given back'))
      return next()
    },
  }) })`

/** Answers streams with something else, and forgets about the stream. Stands above. */
export const forgetsStreams = `
  import { definePlugin } from 'gatehouse'
  export default definePlugin({ name: 'forgets', setup: () => ({
    async handle(ctx, next) {
      const response = await next()
      return ctx.request.headers.get('x-forget') ? Response.json({ instead: true }) : response
    },
  }) })`

/** Answers everything with what a header says, as JSON. Stands below. */
export const says = `
  import { definePlugin } from 'gatehouse'
  export default definePlugin({ name: 'says', setup: () => ({
    handle: ctx => new Response(ctx.request.headers.get('x-say'), { headers: { 'content-type': 'application/json' } }),
  }) })`

/** Holds streams back for a while, whatever becomes of their client. Stands above. */
export const holdsBack = `
  import { definePlugin } from 'gatehouse'
  export default definePlugin({ name: 'holds', setup: (_, { log }) => ({
    async handle(ctx, next) {
      const response = await next()
      log.info('holds')
      await Bun.sleep(1000)
      log.info('lets go')
      return response
    },
  }) })`

/** Runs the layers below apart, with another question, and settles that run more than once. Stands above or below. */
export const runsApart = `
  import { definePlugin } from 'gatehouse'
  export default definePlugin({ name: 'apart', setup: () => ({
    async handle(ctx, next) {
      const run = ctx.detach()
      run.ctx.rewrite({ messages: [{ role: 'user', content: 'another question' }] })
      const response = await next(run.ctx)
      for (const outcome of ['complete', 'aborted', 'complete']) run.settle(outcome)
      return response
    },
  }) })`
