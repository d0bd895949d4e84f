/** The middle of what was measured lately. */
export interface DecayedMedian {
  add(value: number): void
  /** Undefined as long as there is nothing to tell. */
  readonly value: number | undefined
}

interface Sample {
  readonly value: number
  readonly at: number
}

/** More than that would hardly move the middle. */
const mostSamples = 32
/** A value counts half as much after so long. */
const halfLifeMs = 120_000

/** The weighted median of the last 32 values: one that is far off does not move it, as it would move a mean. */
export function createDecayedMedian(now: () => number): DecayedMedian {
  let samples: readonly Sample[] = []
  let middle: number | undefined
  return {
    add(value) {
      const at = now()
      samples = [...samples.slice(1 - mostSamples), { value, at }]
      middle = medianOf(samples, at)
    },
    get value() {
      return middle
    },
  }
}

function medianOf(samples: readonly Sample[], now: number): number | undefined {
  const sorted = samples.map(({ value, at }) => ({ value, weight: 2 ** ((at - now) / halfLifeMs) })).toSorted((a, b) => a.value - b.value)
  let half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2
  for (const { value, weight } of sorted) {
    half -= weight
    if (half <= 0) return value
  }
}
