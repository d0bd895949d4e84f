/** The middle of some numbers. */
export const median = (values: readonly number[]): number => percentile(sorted(values), 0.5)

/** The value below which the share `p` of the sorted `values` lies (nearest rank). 0 for none. */
export const percentile = (values: readonly number[], p: number): number =>
  values[Math.min(values.length - 1, Math.max(0, Math.ceil(values.length * p) - 1))] ?? 0

/** Ascending. */
export const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)

/** Half the distance between the smallest and the largest, as a share of the median: how noisy the rounds were. */
export const spread = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / 2 / median(values)
