import type { MaybePromise } from 'gatehouse'

/** At once when the value is there: a hit then costs no turn of the event loop. */
export const whenKnown = <T, R>(value: MaybePromise<T>, then: (known: T) => MaybePromise<R>): MaybePromise<R> =>
  value instanceof Promise ? value.then(then) : then(value)
