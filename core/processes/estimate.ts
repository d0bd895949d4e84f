/** A value learned from those that came, in which the last ones weigh most. */
export interface Estimate {
  add(value: number): void
  /** Undefined before the first. */
  readonly value: number | undefined
}

/** Each new value moves it by this share of the way. */
const weight = 0.3

export function createEstimate(): Estimate {
  let value: number | undefined
  return {
    add(next) {
      value = value === undefined ? next : value + weight * (next - value)
    },
    get value() {
      return value
    },
  }
}
