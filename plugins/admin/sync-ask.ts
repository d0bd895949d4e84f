import { type Backend, GatewayError } from 'gatehouse'
import { modelName } from './model-fields.ts'
import type { Offer } from './sync-plan.ts'

/** What went wrong with a backend, in words that hold neither its address nor a key. */
export interface SyncError {
  readonly backend: string
  readonly error: string
}

/** No server has so many; the database is not for whatever one answers. */
const mostNames = 10_000

/** Asks backends what they have, all at once. One that does not answer in time has failed. */
export async function askBackends(backends: readonly Backend[], timeoutMs: number, signal: AbortSignal) {
  const offers: Offer[] = []
  const errors: SyncError[] = []
  await Promise.all(
    backends.map(async backend => {
      try {
        const models = await backend.models(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
        if (models.length > mostNames) throw tooMany()
        const names = models.map(({ id }) => id).filter(isName)
        offers.push({ backend: backend.name, names })
        if (names.length < models.length)
          errors.push({ backend: backend.name, error: `${models.length - names.length} names cannot be names of models here` })
      } catch (error) {
        signal.throwIfAborted()
        errors.push({ backend: backend.name, error: wordsFor(error) })
      }
    }),
  )
  const place = ({ backend }: { readonly backend: string }) => backends.findIndex(({ name }) => name === backend)
  const inOrder = <T extends { readonly backend: string }>(all: readonly T[]) => all.toSorted((a, b) => place(a) - place(b))
  return { offers: inOrder(offers), errors: inOrder(errors) }
}

function isName(id: unknown): boolean {
  try {
    return modelName(id, 'name') === id
  } catch {
    return false
  }
}

const tooMany = () => new GatewayError(502, 'server_error', 'bad_gateway', `The model backend lists more than ${mostNames} models.`)

/** Only our own errors are known to be fit to be shown. */
function wordsFor(error: unknown): string {
  if (error instanceof GatewayError) return error.message
  return error instanceof DOMException && error.name === 'TimeoutError'
    ? 'The model backend did not answer in time.'
    : 'The model backend did not list its models.'
}
