import { type Context, type MaybePromise, type Route, type RouteContext, v } from 'gatehouse'
import type { Memory } from '../memory/memory.ts'
import { isUserId } from '../memory/users.ts'
import { isOperator } from '../users.ts'
import { ok, refuse } from './envelope.ts'

const list = v.optional(v.array(v.pipe(v.string(), v.trim(), v.nonEmpty())))

const change = v.strictObject({ pinned: list, recent: list, tags: list })

/** `/v1/system/memory`, and the users' memories under it. */
export function memoryRoutes(memory: Memory | undefined): Route[] {
  const common = { access: 'key', limited: true, body: 'none' } as const
  const one = { ...common, path: '/v1/system/memory/users/:id' }

  const withMemory =
    (handle: (ctx: RouteContext, memory: Memory) => MaybePromise<Response>): Route['handle'] =>
    async ctx => {
      if (!memory) return refuse(ctx.id, 404, 'disabled', 'memory is disabled')
      try {
        return await handle(ctx, memory)
      } catch (err) {
        ctx.log.error({ err }, 'the memory could not be used')
        return refuse(ctx.id, 500, 'internal_error', 'The memory could not be read or written. The log has the details.')
      }
    }

  const forUser = (handle: (ctx: RouteContext, id: string, users: Memory['users']) => Promise<Response>) =>
    withMemory((ctx, { users }) => {
      const { id = '' } = ctx.params
      if (!isOperator(ctx.principal) && ctx.principal.id !== id) {
        return refuse(ctx.id, 403, 'permission_error', "A key may only use its own user's memory.")
      }
      if (!isUserId(id)) return refuse(ctx.id, 400, 'invalid_user', 'This is too long for the name of a user.', 'id')
      return handle(ctx, id, users)
    })

  return [
    {
      ...common,
      method: 'GET',
      path: '/v1/system/memory',
      handle: withMemory(async (_, { status }) => ok(await status())),
    },
    {
      ...one,
      method: 'GET',
      handle: forUser(async (ctx, id, users) => {
        const found = await users.read(id)
        return found ? ok(found) : nothingKnown(ctx, id)
      }),
    },
    {
      ...one,
      method: 'PUT',
      body: 'json',
      handle: forUser(async (ctx, id, users) => {
        // the kernel gives every payload a model
        const { model, ...lists } = ctx.payload
        const checked = v.safeParse(change, model === '' ? lists : ctx.payload)
        if (checked.success) return ok(await users.write(id, checked.output))
        const field = checked.issues[0].path?.[0]?.key
        const message =
          'The memory of a user is {"pinned": [], "recent": [], "tags": []}, each a list of texts; a list left out stays as it is.'
        return refuse(ctx.id, 400, 'invalid_request', message, typeof field === 'string' ? field : null)
      }),
    },
    {
      ...one,
      method: 'DELETE',
      handle: forUser(async (ctx, id, users) => ((await users.forget(id)) ? ok({ user_id: id, deleted: true }) : nothingKnown(ctx, id))),
    },
  ]
}

const nothingKnown = ({ id: requestId }: Context, id: string) =>
  refuse(requestId, 404, 'not_found', `Nothing is remembered of the user '${id}'.`)
