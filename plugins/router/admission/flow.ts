/** A request that comes into the queue. */
export interface Arrival<Item> {
  readonly item: Item
  readonly key: string
  /** Share of the key, greater than 0. */
  readonly weight: number
  /** What it is charged until one knows better. */
  readonly tokens: number
  readonly at: number
}

/** A request that waits, or has been drawn and not settled yet. */
export interface Turn<Item> {
  readonly item: Item
  readonly key: string
  readonly weight: number
  /** What it is charged when it is drawn. */
  readonly tokens: number
  readonly enteredAt: number
  /** Counts the requests as they come. */
  readonly number: number
  /** Where a key began that had nothing waiting when it came. */
  readonly floor: number
  /** What its key had been lifted by when it was drawn; says which charges a later lift has swallowed. */
  lifted: number
}

/** The keys of one weight. */
export interface Rank {
  readonly weight: number
  keys: number
  /** Where the last of them began that was drawn. */
  floor: number
}

/** One key: its requests in the order they came, and how far it was served. */
export interface Flow<Item> {
  readonly key: string
  rank: Rank
  /** Its virtual time: the tokens it was charged, divided by its weight, counted from where it came in. */
  time: number
  readonly waiting: Turn<Item>[]
  inFlight: number
  /** Something of it was drawn. */
  served: boolean
  /** By how much it was lifted in all: who was away finds its time set to that of the others. */
  lifted: number
  /** The number of the newest request when its last one was drawn. */
  drawnAt: number
}

/** When its first request would begin. A key that was not waiting has no claim on the time before it came. */
export function startOf<Item>({ time, waiting, drawnAt }: Flow<Item>): number {
  const first = waiting[0]
  return first && first.number > drawnAt ? Math.max(time, first.floor) : time
}

/** Whether the first request of one goes before that of the other; both must have one. Of two that are equal, the one that came first. */
export function isBefore<Item>(one: Flow<Item>, other: Flow<Item>): boolean {
  const difference = startOf(one) - startOf(other)
  return difference < 0 || (difference === 0 && numberOf(one) < numberOf(other))
}

const numberOf = <Item>({ waiting }: Flow<Item>) => waiting[0]?.number ?? Number.POSITIVE_INFINITY

/** Charges a request that begins now. */
export function charge<Item>(flow: Flow<Item>, turn: Turn<Item>, start: number): void {
  flow.lifted += start - flow.time
  turn.lifted = flow.lifted
  flow.time = start + turn.tokens / turn.weight
  flow.inFlight++
  flow.served = true
}

/**
 * Puts a charge right. Where the key was lifted since, its time is no longer made of that charge: what was too much has been
 * given back by the lift already, and what was too little counts as far as it is more than the lift.
 */
export function correct<Item>(flow: Flow<Item>, turn: Turn<Item>, used: number): void {
  flow.inFlight--
  const missing = (used - turn.tokens) / turn.weight
  const lift = flow.lifted - turn.lifted
  if (missing > 0) flow.time += Math.max(0, missing - lift)
  else if (lift === 0) flow.time += missing
}

/**
 * How many requests would begin before this one if nobody else came: those of its key before it, and of each other key those
 * that begin earlier. -1 for one that does not wait.
 */
export function aheadOf<Item>(turn: Turn<Item>, flows: ReadonlyMap<string, Flow<Item>>): number {
  const own = flows.get(turn.key)
  const index = own?.waiting.indexOf(turn) ?? -1
  if (!own || index < 0) return -1
  let start = startOf(own)
  for (const { tokens, weight } of own.waiting.slice(0, index)) start += tokens / weight
  let count = index
  for (const flow of flows.values()) if (flow !== own) count += countBefore(flow, start, turn.number)
  return count
}

function countBefore<Item>(flow: Flow<Item>, goal: number, number: number): number {
  let start = startOf(flow)
  let count = 0
  for (const turn of flow.waiting) {
    if (start > goal || (start === goal && turn.number > number)) break
    count++
    start += turn.tokens / turn.weight
  }
  return count
}
