import {
  type Account,
  type Balance,
  type Context,
  type Gateway,
  GatewayError,
  type IndexedKey,
  type MaybePromise,
  type Reservation,
} from 'gatehouse'
import { type Cost, costOf, totalOf } from './cost.ts'
import { createHold } from './hold.ts'
import { createMinute, type Taken } from './minute.ts'
import { createStandings } from './standings.ts'

/** Tokens that are set aside for one request. */
export interface Held {
  readonly reservation: Reservation
  /** Of the minute. */
  readonly taken: Taken | undefined
  /** What the backend was told that no answer may be longer than, where the client had said no such thing. */
  readonly cut: number | undefined
}

/** Sets tokens aside, of the quota and of the minute. */
export interface Reserve {
  /** Before a request, or refuses it. At once where nobody need be asked. */
  take(ctx: Context, key: IndexedKey): MaybePromise<Held>
  /** Charges what was really used and returns the rest; 0 for a request that failed. To be called once. */
  settle(held: Held, used: number): Promise<void>
}

/**
 * A quota from which this many bounds of the prompt could be paid besides the answer is far from its end, and the bound is
 * good enough. Nearer to it the prompt is counted, so that a key can spend its last tokens: bounds are ten times as much for
 * short prompts.
 */
const farFromTheEnd = 64

/** Of counts that are not exact, so much is added. */
const margin = { factor: 1.2, tokens: 64 }

/** Opens it over the ledger and the store of a gateway. */
export function createReserve(gateway: Pick<Gateway, 'ledger' | 'tokens' | 'store' | 'backends' | 'log'>): Reserve {
  const { ledger, tokens } = gateway
  const minute = createMinute(gateway)
  const hold = createHold(gateway)
  const accounts = new WeakMap<IndexedKey, Account>()
  const accountOf = (key: IndexedKey): Account => {
    const account = accounts.get(key) ?? { keyId: key.id, period: key.quotaPeriod, limit: key.quota }
    accounts.set(key, account)
    return account
  }
  const standings = createStandings(gateway, accountOf)

  const counted = async ({ payload, operation, model, signal }: Context, cost: Cost): Promise<Cost> => {
    const { tokens: count, exact } = await tokens.count(payload, operation, model ?? { targets: [] }, signal)
    // another target may count otherwise
    const certain = exact && model?.targets.length === 1
    const prompt = certain ? count : Math.ceil(count * margin.factor) + margin.tokens
    return { ...cost, prompt: Math.min(cost.prompt, prompt) }
  }
  const takeWithin = (ctx: Context, key: IndexedKey, bound: Cost, { remaining }: Balance): MaybePromise<Held> => {
    if (remaining === null || isFar(remaining, bound)) return takeAll(ctx, key, bound, refuse)
    return counted(ctx, bound).then(cost => takeAll(ctx, key, shortened(cost, remaining), refuse))
  }
  const takeBelieving = (ctx: Context, key: IndexedKey, bound: Cost): MaybePromise<Held> => {
    standings.take(key, totalOf(bound))
    return takeAll(ctx, key, bound, balance => takeWithin(ctx, key, bound, standings.note(key, balance)))
  }
  const takeAll = (ctx: Context, key: IndexedKey, cost: Cost, refused: WhenRefused): MaybePromise<Held> => {
    const taken = minute.take(ctx, key, totalOf(cost))
    return taken instanceof Promise ? taken.then(late => setAside(ctx, key, cost, late, refused)) : setAside(ctx, key, cost, taken, refused)
  }
  const setAside = (ctx: Context, key: IndexedKey, cost: Cost, taken: Taken | undefined, refused: WhenRefused): MaybePromise<Held> => {
    const held = (grant: Grant): MaybePromise<Held> => {
      if (grant.granted) return { reservation: grant.reservation, taken, cut: key.quota === null ? undefined : hold(ctx, cost) }
      minute.settle(taken, 0)
      return refused(grant.balance, totalOf(cost))
    }
    const fail = (error: unknown): never => {
      minute.settle(taken, 0)
      throw error
    }
    let grant: MaybePromise<Grant>
    try {
      const estimate = Math.min(cost.prompt, estimateOf(ctx))
      grant = ledger.reserve(accountOf(key), { tokens: totalOf(cost), estimate })
    } catch (error) {
      return fail(error)
    }
    return grant instanceof Promise ? grant.then(held, fail) : held(grant)
  }

  return {
    take(ctx, key) {
      const bound = costOf(ctx, ctx.model, tokens)
      if (key.quota === null) return takeAll(ctx, key, bound, refuse)
      if (isFar(standings.remaining(key), bound)) return takeBelieving(ctx, key, bound)
      const balance = ledger.balance(accountOf(key))
      if (!(balance instanceof Promise)) return takeWithin(ctx, key, bound, balance)
      return balance.then(late => takeWithin(ctx, key, bound, standings.note(key, late)))
    },
    settle({ reservation, taken }, used) {
      minute.settle(taken, used)
      if (used > 0) return ledger.settle(reservation, used)
      ledger.release(reservation)
      return nothingToWaitFor
    },
  }
}

const nothingToWaitFor = Promise.resolve()

type Grant = Awaited<ReturnType<Gateway['ledger']['reserve']>>
type WhenRefused = (balance: Balance, wanted: number) => MaybePromise<Held>

const refuse: WhenRefused = (balance, wanted) => {
  throw exhausted(balance, wanted)
}

const isFar = (remaining: number, { prompt, answer, answers }: Cost): boolean => remaining >= farFromTheEnd * prompt + answer * answers

/** No longer an answer than can be paid, when nobody asked for a longer one. */
function shortened(cost: Cost, remaining: number): Cost {
  if (cost.said) return cost
  const payable = Math.floor((remaining - cost.prompt) / cost.answers)
  return { ...cost, answer: Math.max(cost.least, Math.min(cost.answer, payable)) }
}

/** Of a request whose process died: about four bytes make a token. */
const estimateOf = (ctx: Context): number => Math.ceil(ctx.wire().byteLength / 4)

/** OpenAI's SDKs do not try again when they are told so. */
function exhausted({ limit, used, reserved, resetAt }: Balance, wanted: number): GatewayError {
  const until = resetAt === null ? '' : ` It resets at ${new Date(resetAt).toISOString()}.`
  const held = reserved > 0 ? `, ${reserved} set aside for requests under way` : ''
  const message = `This API key has used ${used} of its ${limit} tokens${held}; this request may need ${wanted}.${until}`
  return new GatewayError(429, 'insufficient_quota', 'insufficient_quota', message, { headers: { 'x-should-retry': 'false' } })
}
