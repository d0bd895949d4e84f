import { type Flow, isBefore, type Rank } from './flow.ts'

/** When a request has waited long enough to go before others. */
export interface Ageing {
  readonly afterMs: number
  /** One request in so many, at most, goes for its age. */
  readonly every: number
}

/** Every key that is known, also those with nothing waiting. */
type Flows<Item> = ReadonlyMap<string, Flow<Item>>

/** The key whose next request would begin first. */
export function lowest<Item>(flows: Flows<Item>): Flow<Item> | undefined {
  let first: Flow<Item> | undefined
  for (const flow of flows.values()) if (flow.waiting.length > 0 && (!first || isBefore(flow, first))) first = flow
  return first
}

/**
 * A key with a hundredth of the weight of the others would wait until they had a hundred times its tokens. So now and then
 * it is the turn of the rank whose next request has waited longest. Only the rank is chosen that way: among the keys in it
 * the lowest goes first as always, so they stay as fair to each other as without ageing, because start-time fair queueing
 * is fair however fast it is served. What goes for its age is charged as usual: a rank gets its share or one request in
 * `every`, whichever is more, not both.
 */
export function longestPassedOver<Item>(flows: Flows<Item>, now: number, { afterMs }: Ageing): Flow<Item> | undefined {
  const heads = new Map<Rank, Flow<Item>>()
  for (const flow of flows.values()) {
    const head = heads.get(flow.rank)
    if (flow.waiting.length > 0 && (!head || isBefore(flow, head))) heads.set(flow.rank, flow)
  }
  let oldest: Flow<Item> | undefined
  for (const head of heads.values()) if (!oldest || enteredAt(head) < enteredAt(oldest)) oldest = head
  return oldest && now - enteredAt(oldest) >= afterMs ? oldest : undefined
}

const enteredAt = <Item>({ waiting }: Flow<Item>) => waiting[0]?.enteredAt ?? Number.POSITIVE_INFINITY
