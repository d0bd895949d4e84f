import { ConfigError, GatewayError } from '../errors.ts'
import type { Route } from '../gateway.ts'
import type { Logger } from '../log.ts'
import type { Author } from '../records/page.ts'

/** `POST /admin/key/reset`: a new admin key in place of the old one, `{"key"}`, this once. When that fails the old one stays. */
export const adminRoutes = (reset: (author: Author) => Promise<string>, log: Logger): Route[] => [
  {
    method: 'POST',
    path: '/admin/key/reset',
    access: 'admin',
    limited: true,
    body: 'none',
    async handle({ principal }) {
      const key = await reset({ who: principal.id }).catch((cause: unknown) => {
        if (cause instanceof GatewayError) throw cause
        log.error({ err: cause, reason: reasonOf(cause) }, 'the admin key could not be reset; the one before stays')
        throw new GatewayError(500, 'server_error', 'admin_key_not_reset', 'The admin key could not be reset; the log says why.', { cause })
      })
      return Response.json({ key }, { headers: { 'cache-control': 'no-store' } })
    },
  },
]

const reasonOf = (cause: unknown) => (cause instanceof ConfigError ? cause.message : undefined)
