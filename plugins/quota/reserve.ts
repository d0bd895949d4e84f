import { type Account, type Balance, type Context, type Gateway, GatewayError, type IndexedKey, type Reservation } from 'gatehouse'
import { type Cost, costOf, lengthField, totalOf } from './cost.ts'

/** Tokens that are set aside for one request. */
export interface Held {
  /** Charges what was really used and returns the rest; 0 for a request that failed. Only once. */
  settle(tokens: number): Promise<void>
}

/**
 * A quota that is this many times the bound of a request is far from its end, and the bound is good enough. Nearer to it
 * the prompt is counted, so that a key can spend its last tokens: bounds are ten times as much for short prompts.
 */
const farFromTheEnd = 64

/** Of counts that are not exact, so much is added. */
const margin = { factor: 1.2, tokens: 64 }

/** Sets tokens aside, of the quota and of the minute, before a request; or refuses it. */
export function createReserve({ ledger, tokens, store, backends, log }: Pick<Gateway, 'ledger' | 'tokens' | 'store' | 'backends' | 'log'>) {
  const counted = async (ctx: Context, cost: Cost): Promise<Cost> => {
    const { payload, operation, model, signal } = ctx
    const { tokens: count, exact } = await tokens.count(payload, operation, model ?? { targets: [] }, signal)
    const prompt = exact ? count : Math.ceil(count * margin.factor) + margin.tokens
    return { ...cost, prompt: Math.min(cost.prompt, prompt) }
  }
  /** The cost as far as it must be known, and no longer an answer than can be paid when nobody asked for a longer one. */
  const affordable = async (ctx: Context, account: Account, bound: Cost): Promise<Cost> => {
    const { remaining } = await ledger.balance(account)
    if (remaining === null || remaining >= farFromTheEnd * totalOf(bound)) return bound
    const cost = await counted(ctx, bound)
    if (cost.explicit) return cost
    const answer = Math.floor((remaining - cost.prompt) / cost.answers)
    return { ...cost, answer: Math.max(1, Math.min(cost.answer, answer)) }
  }

  const takeOfMinute = async (ctx: Context, { id, tokensPerMinute }: IndexedKey, cost: number) => {
    if (tokensPerMinute === null) return () => {}
    if (tokensPerMinute === 0) throw tooFast(60_000)
    const name = `tokens:${id}`
    const bucket = { perMinute: tokensPerMinute, burst: tokensPerMinute }
    const taken = Math.min(cost, tokensPerMinute) // one that is more than a whole minute has to go through some time
    const answer = await store.take(name, bucket, taken)
    ctx.headers.set('x-ratelimit-limit-tokens', String(tokensPerMinute))
    if (!answer.allowed) {
      ctx.headers.set('x-ratelimit-remaining-tokens', '0')
      throw tooFast(answer.retryAfterMs)
    }
    ctx.headers.set('x-ratelimit-remaining-tokens', String(Math.floor(answer.remaining)))
    ctx.headers.set('x-ratelimit-reset-tokens', `${Math.ceil(answer.resetMs)}ms`)
    return (used: number) => {
      Promise.resolve(store.giveBack(name, bucket, taken - used)).catch(err =>
        log.warn({ err }, 'tokens of a minute could not be given back'),
      )
    }
  }

  return async (ctx: Context, key: IndexedKey): Promise<Held> => {
    const account: Account = { keyId: key.id, period: key.quotaPeriod, limit: key.quota }
    const bound = costOf(ctx, ctx.model, tokens)
    const cost = key.quota === null ? bound : await affordable(ctx, account, bound)
    const total = totalOf(cost)
    const settleMinute = await takeOfMinute(ctx, key, total)
    let reservation: Reservation
    try {
      const grant = await ledger.reserve(account, { tokens: total, estimate: Math.min(cost.prompt, estimateOf(ctx)) })
      if (!grant.granted) throw exhausted(grant.balance, total)
      reservation = grant.reservation
    } catch (error) {
      settleMinute(0)
      throw error
    }
    if (key.quota !== null) holdToLength(ctx, cost)
    return {
      async settle(used) {
        settleMinute(used)
        if (used > 0) await ledger.settle(reservation, used)
        else ledger.release(reservation)
      },
    }
  }

  /** What was reserved for an answer is also what the backend is told. */
  function holdToLength(ctx: Context, { answer, answers, explicit }: Cost): void {
    if (answers === 0) return
    const [target] = ctx.model?.targets ?? []
    const field = lengthField(ctx.operation, target && backends.get(target.backend)?.type)
    if (!explicit) ctx.rewrite({ [field]: answer })
    else for (const name of lengthsGiven(ctx)) if ((ctx.payload[name] as number) > answer) ctx.rewrite({ [name]: answer })
  }
}

const lengthsGiven = ({ payload }: Context) =>
  ['max_completion_tokens', 'max_tokens', 'max_output_tokens', 'n_predict'].filter(name => typeof payload[name] === 'number')

/** Of a request whose process died: about four bytes make a token. */
const estimateOf = (ctx: Context): number => Math.ceil(ctx.wire().byteLength / 4)

const tooFast = (retryAfterMs: number) =>
  new GatewayError(429, 'rate_limit_error', 'rate_limit_exceeded', 'Rate limit exceeded: too many tokens per minute', {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) },
  })

/** OpenAI's SDKs do not try again when they are told so. */
function exhausted({ limit, used, reserved, resetAt }: Balance, wanted: number): GatewayError {
  const until = resetAt === null ? '' : ` It resets at ${new Date(resetAt).toISOString()}.`
  const held = reserved > 0 ? `, ${reserved} set aside for requests under way` : ''
  const message = `This API key has used ${used} of its ${limit} tokens${held}; this request may need ${wanted}.${until}`
  return new GatewayError(429, 'insufficient_quota', 'insufficient_quota', message, { headers: { 'x-should-retry': 'false' } })
}
