import { GatewayError } from 'gatehouse'

const headers = { 'cache-control': 'no-store' }

/** JSON that neither proxies nor browsers keep. */
export const answer = (body: unknown, status = 200): Response => Response.json(body, { status, headers })

/** The 204 after something was deleted. */
export const deleted = (): Response => new Response(null, { status: 204, headers })

/** The 404 for an id that nobody has. */
export const notFound = (what: 'key' | 'model', id: number): GatewayError =>
  new GatewayError(404, 'invalid_request_error', `${what}_not_found`, `There is no ${what} with the id ${id}.`, { param: 'id' })

/** The 409 for a change that was made to what is no longer there. */
export const versionConflict = (what: 'key' | 'model', current: number): GatewayError =>
  conflict(
    'version_conflict',
    `The ${what} has been changed meanwhile: its version is ${current} now. Look at it again before changing it.`,
    'version',
  )

/** A 409. */
export const conflict = (code: string, message: string, param?: string): GatewayError =>
  new GatewayError(409, 'invalid_request_error', code, message, param === undefined ? {} : { param })
