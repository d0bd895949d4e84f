import type { Backend, ModelInfo } from './backends/backend.ts'
import { GatewayError } from './errors.ts'
import type { Logger } from './log.ts'

/** The models each backend offers, as far as it can be asked. */
export interface Offers {
  /** What a backend last said; one that is down keeps its names. */
  known(backend: string): readonly ModelInfo[]
  /** Asks every backend now. */
  askAll(): Promise<readonly (readonly ModelInfo[] | Error)[]>
  /** Asks again, without waiting, whoever was last asked long ago. */
  refresh(): void
  /**
   * Asks whoever was not asked just now, until `found` finds something. A backend that did not answer last
   * time is asked too, but nobody waits for it: one that hangs must not hold up requests for the others.
   */
  search<T>(found: () => T | undefined): Promise<T | undefined>
}

export interface OffersOptions {
  /** Live: plugins may add to it while they are set up. */
  readonly backends: ReadonlyMap<string, Backend>
  /** By backend: the names it serves when it cannot be asked. */
  readonly declared: ReadonlyMap<string, readonly string[]>
  /** How long a backend may take to list its models. */
  readonly timeoutMs: number
  readonly log: Logger
  /** What was said before, kept over reloads of the config. */
  readonly memory?: OfferMemory
  readonly now?: () => number
}

/** What backends said, as long as they live. */
export type OfferMemory = WeakMap<Backend, Offer>

/** What a backend said is asked anew after this long, so that a newly pulled model is found. */
const freshMs = 30_000
/** A name nobody knows makes us ask again, but not more often than this. */
const missMs = 1_000

type Answer = readonly ModelInfo[] | Error

interface Offer {
  models: readonly ModelInfo[]
  askedAt: number
  failed: boolean
  asking: Promise<Answer> | undefined
}

/** Nobody asked yet. */
export function createOffers({ backends, declared, timeoutMs, log, memory = new WeakMap(), now = Date.now }: OffersOptions): Offers {
  const offerOf = (backend: Backend): Offer => {
    const existing = memory.get(backend)
    if (existing) return existing
    const offer: Offer = { models: [], askedAt: Number.NEGATIVE_INFINITY, failed: false, asking: undefined }
    memory.set(backend, offer)
    return offer
  }

  /** Callers that arrive while a backend is being asked share its answer. Never rejects. */
  const ask = (backend: Backend): Promise<Answer> => {
    const offer = offerOf(backend)
    offer.asking ??= listModels(backend, timeoutMs).then(asked => {
      if (asked instanceof Error) log.debug({ backend: backend.name, reason: asked.message, err: asked }, 'could not list models')
      const answer = asked instanceof Error ? (declaredModels(backend.name) ?? asked) : asked
      offer.failed = asked instanceof Error
      if (!(answer instanceof Error)) offer.models = answer
      offer.askedAt = now()
      offer.asking = undefined
      return answer
    })
    return offer.asking
  }
  const declaredModels = (name: string) => declared.get(name)?.map(id => ({ id, ownedBy: name }))
  const askedLongerAgoThan = (ms: number) => [...backends.values()].filter(backend => now() - offerOf(backend).askedAt > ms)

  return {
    known(name) {
      const backend = backends.get(name)
      return backend ? offerOf(backend).models : []
    },
    askAll: () => Promise.all([...backends.values()].map(ask)),
    refresh() {
      for (const backend of askedLongerAgoThan(freshMs)) ask(backend)
    },
    search(found) {
      const asked = askedLongerAgoThan(missMs).map(backend => ({ patient: !offerOf(backend).failed, answer: ask(backend) }))
      const answers = asked.filter(({ patient }) => patient).map(({ answer }) => answer)
      return new Promise(resolve => {
        const look = () => {
          const result = found()
          if (result !== undefined) resolve(result)
        }
        for (const answer of answers) answer.then(look)
        Promise.all(answers).then(() => resolve(found()))
      })
    },
  }
}

async function listModels(backend: Backend, timeoutMs: number): Promise<Answer> {
  try {
    return await backend.models(AbortSignal.timeout(timeoutMs))
  } catch (error) {
    return error instanceof GatewayError
      ? error
      : new GatewayError(502, 'server_error', 'bad_gateway', 'The model backend did not list its models.', { cause: error })
  }
}
