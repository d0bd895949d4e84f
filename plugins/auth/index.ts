import { type Context, definePlugin, GatewayError, type IndexedKey, type Principal } from 'gatehouse'
import { createDoor } from './door.ts'
import { createGrants, type Grants } from './grants.ts'
import { isLocal } from './local.ts'
import { fromHex, sameSecret, sha256 } from './secret.ts'

/** Wrong keys an address may try before it has to wait; they drain at one every six seconds. */
const failedLogins = { perMinute: 10, burst: 20 }

const commandLine: Principal = { id: 'command-line', kind: 'admin' }

/** Who is asking. Knows managed keys, the static `API_KEY`, the admin key, the command line of this machine, and the modes in which nobody is asked. */
export default definePlugin({
  name: 'auth',
  guards: 'everything',
  async setup(_, { config, store, log, keys, records, usage }) {
    const known: { readonly hash: Uint8Array; readonly principal: Principal }[] = []
    const learn = (hash: Uint8Array | undefined, principal: Principal) => {
      if (hash) known.push({ hash, principal })
    }
    const { api_key, api_key_sha256, admin, made } = config
    learn(admin.api_key ? sha256(admin.api_key) : fromHex(made?.admin_api_key_sha256), { id: 'admin', kind: 'admin' })
    learn(api_key ? sha256(api_key) : undefined, { id: 'api-key', kind: 'static' })
    learn(fromHex(api_key_sha256), { id: 'initial', kind: 'static' })
    const local = fromHex(made?.local_token_sha256)
    const grantsOf = createGrants(keys)
    const hasStatic = known.some(({ principal }) => principal.kind !== 'admin')
    // once there was a managed key, its end opens nothing
    let closed = false
    const settle = (settings: { readonly closed: boolean }) => {
      closed = settings.closed
    }
    const unfollow = records.settings.onChange(settle)
    settle(await records.settings.get())
    const asks = () => config.auth !== 'off' && (hasStatic || closed)
    const openDoor = createDoor({ allowedHosts: config.allowed_hosts, corsOrigins: config.cors_origins })

    const identify = (ctx: Context, secret: string): Principal | IndexedKey | undefined => {
      const hash = sha256(secret)
      const entry = known.find(entry => sameSecret(entry.hash, hash))
      if (entry) return entry.principal
      if (local && sameSecret(local, hash)) return isLocal(ctx) ? commandLine : undefined
      return keys.find(hash)
    }
    /** Throws a 403 when a managed key is known, but not for this. */
    const enter = (ctx: Context, who: Principal | IndexedKey): void => {
      if ('kind' in who) {
        ctx.principal = who
        return
      }
      const grants = grantsOf(who)
      grants.check(ctx)
      usage.used(who.id, Date.now())
      ctx.principal = grants.principal
    }

    const failed = async (ctx: Context) => {
      log.warn({ request_id: ctx.id, ip: ctx.ip }, 'Authentication failed')
      const taken = await store.take(`login:${ctx.ip}`, failedLogins)
      if (!taken.allowed) await store.set(`locked:${ctx.ip}`, new Uint8Array(0), { ttlMs: taken.retryAfterMs })
      return taken
    }

    const refuse = async (ctx: Context): Promise<never> => {
      const taken = await failed(ctx)
      if (taken.allowed) throw new GatewayError(401, 'invalid_request_error', 'invalid_api_key', 'Invalid API key')
      throw new GatewayError(429, 'rate_limit_error', 'rate_limit_exceeded', 'Too many failed logins from this address.', {
        headers: { 'retry-after': String(Math.max(1, Math.ceil(taken.retryAfterMs / 1000))) },
      })
    }

    /** On an open path a key only adds to what is shown, and must not be told from a wrong one by somebody who tries many. */
    const greet = async (ctx: Context, secret: string): Promise<void> => {
      const who = identify(ctx, secret)
      if (!who && asks()) await failed(ctx)
      if (!who || (await store.get(`locked:${ctx.ip}`)) !== null) return
      if ('kind' in who || isAllowed(grantsOf(who), ctx)) enter(ctx, who)
    }

    return {
      close: unfollow,
      handle(ctx, next) {
        const secret = readSecret(ctx.request.headers)
        if (ctx.access === 'open') return secret === undefined ? next() : greet(ctx, secret).then(next)
        const who = secret === undefined ? undefined : identify(ctx, secret)
        if (who) {
          enter(ctx, who)
          return next()
        }
        if (asks() || ctx.access !== 'key') return refuse(ctx)
        openDoor.check(ctx.request, () => ctx.url)
        ctx.principal = { id: 'open', kind: 'open' }
        return next()
      },
    }
  },
})

const isAllowed = ({ check }: Grants, ctx: Context): boolean => {
  try {
    check(ctx)
    return true
  } catch {
    return false
  }
}

/**
 * `X-API-Key` is looked at first; only without one, `Authorization: Bearer`, the scheme in any case. A wrong
 * `X-API-Key` is not made good by a right bearer.
 */
function readSecret(headers: Headers): string | undefined {
  return headers.get('x-api-key') || headers.get('authorization')?.match(/^bearer +(\S+) *$/i)?.[1] || undefined
}
