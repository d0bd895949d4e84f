import type { Ageing } from './ageing.ts'
import type { Limits, Request, Ticket, Waiting } from './entry.ts'
import { createFairQueue } from './fair-queue.ts'
import type { Turn } from './flow.ts'
import { createHabits } from './habits.ts'
import { createJudge } from './judge.ts'
import { createPace } from './pace.ts'
import type { Refusal } from './refusal.ts'
import { createWaiter, type Waiter } from './waiter.ts'

/** What a line asks of the house around it. */
export interface LineRules {
  readonly model: string
  readonly ageing: Ageing
  slots(): number
  /** Tokens that all requests may have together. */
  memory(): number
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
  /** What it is thought to cost. */
  readonly tokens: number
  /** Only of those who wait. */
  readonly waiter?: Waiter
}

/** What any chat prompt comes to, and the least that a request is charged: who fails fast must not have all the turns. */
const leastTokens = 16
/** Sums of so many stay exact. */
const mostTokens = 2 ** 40
const leastWeight = 1e-3
const mostWeight = 1e6

/** All places free, nobody there. */
export function createLine(rules: LineRules): Line {
  const { now } = rules
  const queue = createFairQueue<Guest>(rules.ageing)
  const habits = createHabits()
  const pace = createPace()
  const judge = createJudge({ ...rules, queue, pace })
  let inFlight = 0
  let held = 0 // of the memory

  const isFree = () => inFlight < rules.slots() && !rules.isHeld()
  const fits = ({ tokens }: Guest) => inFlight === 0 || held + tokens <= rules.memory()
  const arrivalOf = (key: string, guest: Guest) => {
    const tokens = clamp(habits.expect(key, guest.tokens))
    const weight = rules.weightOf(key)
    return { item: guest, key, weight: weight > leastWeight ? Math.min(weight, mostWeight) : leastWeight, tokens, at: now() }
  }
  const grant = (turn: Turn<Guest>): Ticket => {
    const at = now()
    const measured = rules.isReady() // a load is not the pace of requests
    let released = false
    inFlight++
    held += turn.item.tokens
    rules.granted()
    return {
      state: 'admitted',
      waitedMs: at - turn.enteredAt,
      release(usedTokens) {
        if (released) return
        released = true
        inFlight--
        held -= turn.item.tokens
        queue.settle(turn, clamp(usedTokens))
        habits.learn(turn.key, turn.item.tokens, usedTokens)
        if (measured) pace.took(now() - at)
        rules.left()
        drain()
      },
    }
  }
  const drain = () => {
    while (queue.length > 0 && isFree()) {
      const at = now()
      const next = queue.peek(at)
      if (!next || !fits(next.item)) return // who is large must not wait for ever, so nobody goes before
      queue.draw(at)
      next.item.waiter?.settle(grant(next))
    }
  }

  const wait = ({ key, signal }: Request, guest: Guest): Waiting | Refusal => {
    const waiter = createWaiter(signal, () => {
      queue.remove(turn)
      rules.left()
    })
    const turn = queue.add(arrivalOf(key, { ...guest, waiter }))
    const position = queue.ahead(turn) + 1
    const refusal = judge.ofNewest(key, position)
    if (refusal) {
      queue.remove(turn)
      return refusal
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
      const guest = { tokens: clamp(request.tokens) }
      const goes = queue.length === 0 && isFree() && fits(guest)
      return goes ? grant(queue.pass(arrivalOf(request.key, guest))) : wait(request, guest)
    },
    drain,
    expire() {
      const { maxWaitMs } = rules.limits()
      for (const turn of queue.waiting()) {
        const position = queue.ahead(turn) + 1
        if (now() - turn.enteredAt < maxWaitMs || position === 0) continue
        queue.remove(turn)
        turn.item.waiter?.settle(judge.refuse('queue_timeout', position))
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
