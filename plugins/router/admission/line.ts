import type { Ageing } from './ageing.ts'
import type { Limits, Request, Ticket, Waiting } from './entry.ts'
import { createFairQueue } from './fair-queue.ts'
import type { Turn } from './flow.ts'
import { createHabits } from './habits.ts'
import { createPace } from './pace.ts'
import type { Refusal, RefusalReason } from './refusal.ts'
import { createWaiter, type Waiter } from './waiter.ts'

/** What a line asks of the house around it. */
export interface LineRules {
  readonly model: string
  readonly ageing: Ageing
  slots(): number
  limits(): Limits
  weightOf(key: string): number
  /** Nobody may go now, even if there is room. */
  isHeld(): boolean
  /** Requests that get a place now can begin at once. */
  isReady(): boolean
  /** Somebody got a place; somebody has left a place or the queue. */
  granted(): void
  left(): void
  now(): number
}

/** One model: its places, and the requests that wait for them. */
export interface Line {
  enter(request: Request): Ticket | Waiting | Refusal
  /** Gives free places to those who wait. */
  drain(): void
  /** Refuses those who have waited too long. */
  expire(): void
  readonly inFlight: number
  readonly queued: number
}

interface Guest {
  readonly bound: number
  /** Only of those who wait. */
  readonly waiter?: Waiter
}

/** What any chat prompt comes to, and the least that a request is charged: who fails fast must not have all the turns. */
const leastTokens = 16
/** Sums of so many stay exact. */
const mostTokens = 2 ** 40
const leastWeight = 1e-3
/**
 * A key may have so many times what is still free in the queue: one alone fills four fifths of it, two have four ninths each.
 * Nobody can fill it up and have the others refused, and nobody has to be thrown out again to make room for them.
 */
const mostOfFree = 4
/** Estimates err; only a wait that would be this many times too long is refused at once. */
const doubt = 2
const usualRetryS = 5
const longestRetryS = 60

/** All places free, nobody there. */
export function createLine(rules: LineRules): Line {
  const { model, now } = rules
  const queue = createFairQueue<Guest>(rules.ageing)
  const habits = createHabits()
  const pace = createPace()
  let inFlight = 0

  const hasRoom = () => inFlight < rules.slots() && !rules.isHeld()
  const arrivalOf = (key: string, guest: Guest) => {
    const tokens = clamp(habits.expect(key, guest.bound))
    return { item: guest, key, weight: Math.max(leastWeight, rules.weightOf(key)), tokens, at: now() }
  }
  const grant = (turn: Turn<Guest>): Ticket => {
    const at = now()
    const measured = rules.isReady() // a load is not the pace of requests
    let released = false
    inFlight++
    rules.granted()
    return {
      state: 'admitted',
      waitedMs: at - turn.enteredAt,
      release(usedTokens) {
        if (released) return
        released = true
        inFlight--
        queue.settle(turn, clamp(usedTokens))
        habits.learn(turn.key, turn.item.bound, usedTokens)
        if (measured) pace.took(now() - at)
        rules.left()
        drain()
      },
    }
  }
  const drain = () => {
    while (queue.length > 0 && hasRoom()) {
      const turn = queue.draw(now())
      turn?.item.waiter?.settle(grant(turn))
    }
  }

  const refusal = (reason: RefusalReason, position: number): Refusal => {
    const waitMs = pace.waitMs(position, rules.slots())
    const seconds = waitMs === undefined ? usualRetryS : Math.ceil(waitMs / 1000)
    return { state: 'refused', reason, model, position, retryAfterS: Math.min(longestRetryS, Math.max(1, seconds)) }
  }
  /** Why a request that has just come into the queue cannot stay. */
  const judge = (key: string, position: number): RefusalReason | undefined => {
    const { maxLength, maxPerKey, maxWaitMs } = rules.limits()
    if (queue.length > maxLength) return 'queue_full'
    const others = queue.lengthOf(key) - 1
    if (others >= maxPerKey || others >= mostOfFree * (maxLength - queue.length + 1)) return 'key_queue_full'
    const waitMs = pace.waitMs(position, rules.slots())
    return waitMs !== undefined && waitMs > doubt * maxWaitMs ? 'queue_too_slow' : undefined
  }
  const wait = ({ key, signal }: Request, bound: number): Waiting | Refusal => {
    const waiter = createWaiter(signal, () => {
      queue.remove(turn)
      rules.left()
    })
    const turn = queue.add(arrivalOf(key, { bound, waiter }))
    const position = queue.ahead(turn) + 1
    const reason = judge(key, position)
    if (reason) {
      queue.remove(turn)
      return refusal(reason, position)
    }
    waiter.listen()
    return {
      state: 'waiting',
      get position() {
        return queue.ahead(turn) + 1
      },
      ready: waiter.ready,
    }
  }

  return {
    enter(request) {
      if (queue.length > 0) drain()
      const bound = clamp(request.bound)
      return queue.length === 0 && hasRoom() ? grant(queue.pass(arrivalOf(request.key, { bound }))) : wait(request, bound)
    },
    drain,
    expire() {
      const { maxWaitMs } = rules.limits()
      for (const turn of queue.waiting()) {
        if (now() - turn.enteredAt < maxWaitMs) continue
        const answer = refusal('queue_timeout', queue.ahead(turn) + 1)
        queue.remove(turn)
        turn.item.waiter?.settle(answer)
        rules.left()
      }
    },
    get inFlight() {
      return inFlight
    },
    get queued() {
      return queue.length
    },
  }
}

/** Also of what is no number. */
const clamp = (tokens: number) => (tokens > leastTokens ? Math.min(tokens, mostTokens) : leastTokens)
