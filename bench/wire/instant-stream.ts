import { contentEvent, doneEvent, finishEvent, usageEvent } from './events.ts'

/** A stream whose events come without a pause. Nothing in it depends on the clock, so it can be built beforehand and compared. */
export interface InstantStream {
  readonly content: readonly Buffer[]
  readonly finish: Buffer
  /** Only for those who asked for it. */
  readonly usage: Buffer
  readonly done: Buffer
  /** All that a client gets that did not ask for the usage. */
  readonly bytes: Buffer
}

/** The instant stream of so many content events. */
export function instantStream(events: number): InstantStream {
  const content = Array.from({ length: events }, (_, number) => contentEvent(0, { number, due: 0, sent: 0 }))
  const finish = finishEvent(0)
  return { content, finish, usage: usageEvent(0, events), done: doneEvent, bytes: Buffer.concat([...content, finish, doneEvent]) }
}
