import { type Ageing, longestPassedOver, lowest } from './ageing.ts'
import { type Arrival, aheadOf, charge, correct, type Flow, startOf, type Turn } from './flow.ts'
import { createRanks, floorIn } from './ranks.ts'

/** Requests of many keys, drawn so that each key gets tokens by its weight. */
export interface FairQueue<Item> {
  /** Puts a request behind the others of its key. */
  add(arrival: Arrival<Item>): Turn<Item>
  /** The next one. */
  peek(now: number): Turn<Item> | undefined
  /** Takes the next one out and charges its key. */
  draw(now: number): Turn<Item> | undefined
  /** Charges a request that need not wait, because nobody does. */
  pass(arrival: Arrival<Item>): Turn<Item>
  /** Takes out one that was not drawn, as if it had never come. */
  remove(turn: Turn<Item>): void
  /** The end of one that was drawn: its key is charged what it really used. To be called once. */
  settle(turn: Turn<Item>, used: number): void
  /** How many would be drawn before this one if nobody else came; -1 when it does not wait. */
  ahead(turn: Turn<Item>): number
  waiting(): readonly Turn<Item>[]
  /** How many of this key wait. */
  lengthOf(key: string): number
  readonly length: number
  /** How many keys something is known of. */
  readonly keys: number
}

/** Keys that neither wait nor have a place, but are ahead of the others; with more of them, the first to have come to rest is forgotten. */
const mostResting = 256

/**
 * Start-time fair queueing (Goyal, Vin, Cheng 1996) over tokens: the key with the lowest virtual time is next, and its time
 * grows by what the request is charged, divided by its weight. Who comes in begins where the request began that was drawn
 * last, so that nobody saves up turns by staying away.
 */
export function createFairQueue<Item>(ageing: Ageing): FairQueue<Item> {
  const flows = new Map<string, Flow<Item>>()
  const resting = new Set<Flow<Item>>()
  const ranks = createRanks<Item>()
  let floor = 0
  let newest = 0
  let length = 0
  let inFlight = 0
  let sinceAged = 0

  const flowOf = (key: string, weight: number): Flow<Item> => {
    let flow = flows.get(key)
    if (!flow) {
      const rank = ranks.join(weight)
      flow = { key, rank, time: floorIn(rank, floor), waiting: [], inFlight: 0, served: false, lifted: 0, drawnAt: 0 }
      flows.set(key, flow)
    } else if (flow.rank.weight !== weight) ranks.move(flow, weight)
    return flow
  }
  const turnOf = ({ item, key, weight, tokens, at }: Arrival<Item>, { rank }: Flow<Item>): Turn<Item> => {
    newest++
    return { item, key, weight, tokens, enteredAt: at, number: newest, floor: floorIn(rank, floor), lifted: 0 }
  }
  const begin = (flow: Flow<Item>, turn: Turn<Item>, start: number, aged: boolean) => {
    charge(flow, turn, start)
    resting.delete(flow)
    inFlight++
    // never back, not even for one whose charges were put right: who came in meanwhile would stand behind who comes now
    flow.rank.floor = Math.max(flow.rank.floor, start)
    if (!aged) floor = Math.max(floor, start)
    sinceAged = aged ? 0 : sinceAged + 1
  }
  const forget = (flow: Flow<Item>) => {
    flows.delete(flow.key)
    resting.delete(flow)
    ranks.leave(flow.rank)
  }
  const isIdle = (flow: Flow<Item>) => flow.inFlight === 0 && flow.waiting.length === 0
  /** A key that is not ahead of the others is as good as one that was never here. */
  const rest = (flow: Flow<Item>) => {
    if (flow.time <= floorIn(flow.rank, floor)) return forget(flow)
    resting.add(flow)
    for (const other of resting) {
      if (resting.size <= mostResting) return
      if (isIdle(other)) forget(other)
      else resting.delete(other)
    }
  }
  /** Whose turn it is, and whose it would be if nobody was too old. */
  const choose = (now: number) => {
    const next = lowest(flows)
    const old = ranks.size > 1 && sinceAged >= ageing.every - 1 ? longestPassedOver(flows, now, ageing) : undefined
    return { next, flow: old ?? next }
  }
  /** Nobody has a place and nobody wants one: then nobody is ahead of anybody. */
  const clearWhenEmpty = () => {
    if (inFlight > 0 || length > 0) return
    flows.clear()
    resting.clear()
    ranks.clear()
    floor = 0
    newest = 0
    sinceAged = 0
  }

  return {
    add(arrival) {
      const flow = flowOf(arrival.key, arrival.weight)
      const turn = turnOf(arrival, flow)
      flow.waiting.push(turn)
      length++
      return turn
    },
    peek: now => choose(now).flow?.waiting[0],
    draw(now) {
      const { flow, next } = choose(now)
      const turn = flow?.waiting[0]
      if (!flow || !turn) return
      const start = startOf(flow)
      flow.waiting.shift()
      flow.drawnAt = newest
      length--
      begin(flow, turn, start, flow !== next)
      return turn
    },
    pass(arrival) {
      const flow = flowOf(arrival.key, arrival.weight)
      const turn = turnOf(arrival, flow)
      begin(flow, turn, Math.max(flow.time, turn.floor), false)
      return turn
    },
    remove(turn) {
      const flow = flows.get(turn.key)
      const index = flow?.waiting.indexOf(turn) ?? -1
      if (!flow || index < 0) return
      flow.waiting.splice(index, 1)
      length--
      if (isIdle(flow) && !resting.has(flow)) (flow.served ? rest : forget)(flow)
      clearWhenEmpty()
    },
    settle(turn, used) {
      const flow = flows.get(turn.key)
      if (!flow) return
      correct(flow, turn, used)
      inFlight--
      if (isIdle(flow)) rest(flow)
      clearWhenEmpty()
    },
    ahead: turn => aheadOf(turn, flows),
    waiting: () => [...flows.values()].flatMap(flow => flow.waiting),
    lengthOf: key => flows.get(key)?.waiting.length ?? 0,
    get length() {
      return length
    },
    get keys() {
      return flows.size
    },
  }
}
