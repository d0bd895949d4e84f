import { GatewayError } from '../errors.ts'
import type { Route } from '../gateway.ts'
import type { HouseLog } from '../log.ts'

/** `POST /admin/logs/reopen`: after the file was moved away; SIGHUP for systems that have none. */
export const logRoutes = ({ reopen }: Pick<HouseLog, 'reopen'>): Route[] => [
  {
    method: 'POST',
    path: '/admin/logs/reopen',
    access: 'admin',
    limited: true,
    body: 'none',
    async handle() {
      const reopened = await reopen().catch((cause: NodeJS.ErrnoException) => {
        throw new GatewayError(
          500,
          'server_error',
          'log_not_reopened',
          `The log file cannot be opened (${cause.code ?? 'unknown error'}).`,
          {
            cause,
          },
        )
      })
      return Response.json({ reopened })
    },
  },
]
