import type { Logger } from '../log.ts'
import { examine } from './identify.ts'
import { type Backends, backendName, type Identity, type Place } from './identity.ts'

/** A server that was found: the name of its backend, and the backend. */
export interface Find {
  readonly name: string
  readonly entry: Backends[string]
}

/** A server on this machine answers well within this, or is not there. */
const patienceMs = 750
/** How many looks are left out, at most, while the port belongs to a program that is no model server. */
const mostSkipped = 15

/** Looks at one port of this machine until a model server is there that lists its models; tells of it, once. */
export function watchPlace(place: Place, log: Logger): (signal: AbortSignal) => Promise<Find | undefined> {
  const bases = [`http://127.0.0.1:${place.port}`, `http://[::1]:${place.port}`]
  let refused: Identity['refuses']
  // Whoever else listens there may write a line for each of our requests: ask it less and less.
  let strange = 0
  let skip = 0

  return async signal => {
    if (skip-- > 0) return
    const wait = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
    const looks = bases.map(base => examine(base, wait))
    for (const [index, look] of looks.entries()) {
      const identity = await look
      if (typeof identity !== 'object' || identity.type === 'gatehouse') continue
      const { type, product, version, models, refuses } = identity
      const where = { url: bases[index] as string, ...(version && { version }) }
      if (models) {
        const name = backendName(identity, place)
        log.info({ backend: name, ...where, models: models.length }, `Found ${product} on this machine`)
        return { name, entry: { type, base_url: where.url, headers: {}, timeouts: {} } }
      }
      if (refuses === 'key' && refused !== 'key')
        log.info(where, `${product} on this machine wants a key; it is used once it is a backend with an api_key in gatehouse.yaml`)
      refused = refuses
      skip = strange = 0
      return
    }
    const verdicts = await Promise.all(looks)
    strange = verdicts.some(verdict => verdict === 'stranger' || typeof verdict === 'object') ? strange + 1 : 0
    skip = Math.min(2 ** strange - 1, mostSkipped)
  }
}
