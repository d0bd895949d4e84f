import type { Context, Gateway, MaybePromise, Next, ResolvedModel } from 'gatehouse'
import type { Answers } from './answers.ts'
import { type KeyFor, openBatch } from './batch.ts'
import { inputsOf, withInput } from './embeddings/embeddings.ts'
import { createShare, type Generate } from './flight/share.ts'
import { type Form, inForm } from './form.ts'
import type { KeptAnswer } from './kept.ts'
import type { Policy } from './policy.ts'
import { whenKnown } from './when-known.ts'

/** A request that the cache may answer. */
export interface Asking {
  readonly ctx: Context
  readonly next: Next
  readonly model: ResolvedModel
  readonly policy: Policy
  readonly form: Form
}

export interface AskOptions {
  readonly answers: Answers
  readonly log: Gateway['log']
  /** Events per second of streams from the cache. */
  readonly replayRate: number | undefined
}

/** From the cache, from a generation that somebody else asked for, or from a new one: in this order. */
export function createAsk({ answers, log, replayRate }: AskOptions) {
  const { counts } = answers
  const share = createShare(answers, log)

  const hit = ({ ctx, form, model }: Asking, found: KeptAnswer): Response | undefined => {
    const response = inForm(found, form, replayRate)
    if (!response) return
    if (found.head.ignored) tellIgnored(ctx, found.head.ignored)
    const age = Math.floor(found.ageMs / 1000)
    counts.hits++
    counts.tokensSaved += found.head.tokens
    counts.msSaved += found.head.tookMs
    mark(ctx, 'HIT', `${age} s old`)
    ctx.headers.set('age', String(age))
    // `ctx.log` would make a logger for this one line
    log.info({ request_id: ctx.id, model: model.asked, age }, 'Cache hit')
    return response
  }

  const generate = (asking: Asking, key: string, how?: Generate): MaybePromise<Response> => {
    const { ctx, policy, model } = asking
    if (!policy.read) {
      counts.bypasses++
      mark(ctx, 'BYPASS', policy.why)
      return share.alone(asking, key, how)
    }
    const joined = share.join(asking, key, () => generate(asking, key, how))
    if (joined) return joined
    counts.misses++
    mark(ctx, 'MISS', '')
    log.debug({ request_id: ctx.id, model: model.asked }, 'Cache miss')
    return share.lead(asking, key, how)
  }

  const one = (asking: Asking, key: string): MaybePromise<Response> => {
    const { policy, model } = asking
    if (!policy.read) return generate(asking, key)
    return whenKnown(answers.get(key, model.name, policy.maxAgeMs), found => (found && hit(asking, found)) ?? generate(asking, key))
  }

  return (asking: Asking, key: string, keyFor: KeyFor): MaybePromise<Response> => {
    const { payload } = asking.ctx
    const inputs = asking.form.operation === 'embeddings' ? inputsOf(payload) : undefined
    if (!inputs) return one(asking, key)
    const [only] = inputs
    if (inputs.length > 1)
      return openBatch(asking, inputs, keyFor, {
        answers,
        hit: found => hit(asking, found),
        generate: how => generate(asking, key, how),
        asWhole: () => one(asking, key),
      })
    return whenKnown(keyFor(withInput(payload, only)), ownKey => one(asking, ownKey ?? key))
  }
}

const mark = (ctx: Context, header: 'HIT' | 'MISS' | 'BYPASS', why: string) => {
  ctx.headers.set('x-cache', header)
  ctx.note({ plugin: 'cache', did: header.toLowerCase(), ...(why && { why }) })
}

/** Which fields the backend left out, as far as this request has them: some take no part in the key. */
function tellIgnored({ headers, payload }: Context, names: string): void {
  const own = names.split(', ').filter(name => payload[name.split(/[.[]/)[0] as string] !== undefined)
  if (own.length > 0) headers.set('x-gatehouse-ignored', own.join(', '))
}
