import { type Account, type Balance, type Context, type Gateway, GatewayError, type IndexedKey, type MaybePromise } from 'gatehouse'
import { type Cost, costOf, totalOf } from './cost.ts'
import { createHold } from './hold.ts'
import { createMinute } from './minute.ts'
import { whenKnown } from './when-known.ts'

/** Tokens that are set aside for one request. */
export interface Held {
  /** What the backend was told that no answer may be longer than, where the client had said no such thing. */
  readonly cut: number | undefined
  /** Charges what was really used and returns the rest; 0 for a request that failed. Only once. */
  settle(tokens: number): Promise<void>
}

/**
 * A quota from which this many bounds of the prompt could be paid besides the answer is far from its end, and the bound is
 * good enough. Nearer to it the prompt is counted, so that a key can spend its last tokens: bounds are ten times as much for
 * short prompts.
 */
const farFromTheEnd = 64

/** Of counts that are not exact, so much is added. */
const margin = { factor: 1.2, tokens: 64 }

/** Sets tokens aside, of the quota and of the minute, before a request; or refuses it. At once where nobody need be asked. */
export function createReserve(gateway: Pick<Gateway, 'ledger' | 'tokens' | 'store' | 'backends' | 'log'>) {
  const { ledger, tokens } = gateway
  const takeOfMinute = createMinute(gateway)
  const hold = createHold(gateway)

  const counted = async ({ payload, operation, model, signal }: Context, cost: Cost): Promise<Cost> => {
    const { tokens: count, exact } = await tokens.count(payload, operation, model ?? { targets: [] }, signal)
    // another target may count otherwise
    const certain = exact && model?.targets.length === 1
    const prompt = certain ? count : Math.ceil(count * margin.factor) + margin.tokens
    return { ...cost, prompt: Math.min(cost.prompt, prompt) }
  }
  /** No longer an answer than can be paid, when nobody asked for a longer one. */
  const shortened = (cost: Cost, remaining: number): Cost => {
    if (cost.said) return cost
    const payable = Math.floor((remaining - cost.prompt) / cost.answers)
    return { ...cost, answer: Math.max(cost.least, Math.min(cost.answer, payable)) }
  }

  const take = (ctx: Context, key: IndexedKey, account: Account, cost: Cost): MaybePromise<Held> => {
    const total = totalOf(cost)
    const bounds = { tokens: total, estimate: Math.min(cost.prompt, estimateOf(ctx)) }
    return whenKnown(takeOfMinute(ctx, key, total), settleMinute => {
      const fail = (error: unknown): never => {
        settleMinute(0)
        throw error
      }
      try {
        const cut = key.quota === null ? undefined : hold(ctx, cost)
        const granted = whenKnown(ledger.reserve(account, bounds), (grant): Held => {
          if (!grant.granted) throw exhausted(grant.balance, total)
          return {
            cut,
            settle(used) {
              settleMinute(used)
              if (used > 0) return ledger.settle(grant.reservation, used)
              ledger.release(grant.reservation)
              return nothingToWaitFor
            },
          }
        })
        return granted instanceof Promise ? granted.catch(fail) : granted
      } catch (error) {
        return fail(error)
      }
    })
  }

  return (ctx: Context, key: IndexedKey): MaybePromise<Held> => {
    const account: Account = { keyId: key.id, period: key.quotaPeriod, limit: key.quota }
    const bound = costOf(ctx, ctx.model, tokens)
    if (key.quota === null) return take(ctx, key, account, bound)
    return whenKnown(ledger.balance(account), ({ remaining }) => {
      if (remaining === null || remaining >= farFromTheEnd * bound.prompt + bound.answer * bound.answers)
        return take(ctx, key, account, bound)
      return counted(ctx, bound).then(cost => take(ctx, key, account, shortened(cost, remaining)))
    })
  }
}

const nothingToWaitFor = Promise.resolve()

/** Of a request whose process died: about four bytes make a token. */
const estimateOf = (ctx: Context): number => Math.ceil(ctx.wire().byteLength / 4)

/** OpenAI's SDKs do not try again when they are told so. */
function exhausted({ limit, used, reserved, resetAt }: Balance, wanted: number): GatewayError {
  const until = resetAt === null ? '' : ` It resets at ${new Date(resetAt).toISOString()}.`
  const held = reserved > 0 ? `, ${reserved} set aside for requests under way` : ''
  const message = `This API key has used ${used} of its ${limit} tokens${held}; this request may need ${wanted}.${until}`
  return new GatewayError(429, 'insufficient_quota', 'insufficient_quota', message, { headers: { 'x-should-retry': 'false' } })
}
