import { type Context, definePlugin, GatewayError, type Principal } from 'gatehouse'
import { createDoor } from './door.ts'
import { isLocal } from './local.ts'
import { fromHex, sameSecret, sha256 } from './secret.ts'

/** Wrong keys an address may try before it has to wait; they drain at one every six seconds. */
const failedLogins = { perMinute: 10, burst: 20 }

const commandLine: Principal = { id: 'command-line', kind: 'admin' }

/** Who is asking. Knows the static `API_KEY`, the admin key, the command line of this machine, and the modes in which nobody is asked. */
export default definePlugin({
  name: 'auth',
  guards: 'everything',
  setup(_, { config, store, log }) {
    const known: { readonly hash: Uint8Array; readonly principal: Principal }[] = []
    const learn = (hash: Uint8Array | undefined, principal: Principal) => {
      if (hash) known.push({ hash, principal })
    }
    const { api_key, api_key_sha256, admin, made } = config
    learn(admin.api_key ? sha256(admin.api_key) : fromHex(made?.admin_api_key_sha256), { id: 'admin', kind: 'admin' })
    learn(api_key ? sha256(api_key) : undefined, { id: 'api-key', kind: 'static' })
    learn(fromHex(api_key_sha256), { id: 'initial', kind: 'static' })
    const local = fromHex(made?.local_token_sha256)
    const asks = config.auth !== 'off' && known.some(({ principal }) => principal.kind !== 'admin')
    const openDoor = createDoor({ allowedHosts: config.allowed_hosts, corsOrigins: config.cors_origins })

    const identify = (ctx: Context, secret: string): Principal | undefined => {
      const hash = sha256(secret)
      const entry = known.find(entry => sameSecret(entry.hash, hash))
      if (entry || !local || !sameSecret(local, hash)) return entry?.principal
      return isLocal(ctx) ? commandLine : undefined
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
      const principal = identify(ctx, secret)
      if (!principal && asks) await failed(ctx)
      if (principal && (await store.get(`locked:${ctx.ip}`)) === null) ctx.principal = principal
    }

    return {
      handle(ctx, next) {
        const secret = readSecret(ctx.request.headers)
        if (ctx.access === 'open') return secret === undefined ? next() : greet(ctx, secret).then(next)
        const principal = secret === undefined ? undefined : identify(ctx, secret)
        if (principal) {
          ctx.principal = principal
          return next()
        }
        if (asks || ctx.access === 'admin') return refuse(ctx)
        openDoor.check(ctx.request.headers, ctx.url)
        ctx.principal = { id: 'open', kind: 'open' }
        return next()
      },
    }
  },
})

/**
 * `X-API-Key` is looked at first; only without one, `Authorization: Bearer`, the scheme in any case. A wrong
 * `X-API-Key` is not made good by a right bearer.
 */
function readSecret(headers: Headers): string | undefined {
  return headers.get('x-api-key') || headers.get('authorization')?.match(/^bearer +(\S+) *$/i)?.[1] || undefined
}
