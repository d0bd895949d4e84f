import type { MaybePromise } from 'gatehouse'

/** At once when the value is there. */
export const whenKnown = <T, R>(value: MaybePromise<T>, then: (known: T) => MaybePromise<R>): MaybePromise<R> =>
  value instanceof Promise ? value.then(then) : then(value)
