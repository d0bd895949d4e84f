import { type Author, type Changed, type Context, GatewayError, type MaybePromise, sqliteCode } from 'gatehouse'
import { notFound, versionConflict } from './answers.ts'

/** For the audit: never a secret. */
export const authorOf = ({ principal }: Pick<Context, 'principal'>): Author => ({ who: principal.id })

/** Has something written. When the database cannot take it (its disk is full, say), that is a 503, and nothing has changed. */
export async function write<T>({ log }: Pick<Context, 'log'>, work: () => MaybePromise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const reason = sqliteCode(cause)
    if (reason === undefined) throw cause
    log.error({ err: cause, reason }, 'a change could not be written')
    throw new GatewayError(503, 'service_unavailable', 'store_unavailable', 'The change could not be written; the log says why.', { cause })
  }
}

/** What was changed, or the 404 or 409 that says why nothing was. */
export async function unlessRefused<T extends { readonly version: number }>(
  result: Changed<T>,
  what: 'key' | 'model',
  id: number,
  records: { get(id: number): MaybePromise<T | undefined> },
): Promise<T> {
  if (typeof result === 'object') return result
  const current = result === 'conflict' ? await records.get(id) : undefined
  throw current ? versionConflict(what, current.version) : notFound(what, id)
}
