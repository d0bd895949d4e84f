import { median } from './stats.ts'

/** One figure of results.json. */
export interface Figure {
  readonly value: number
  /** Which way it gets better, if any; `context` only explains the others and is not compared. */
  readonly better: 'lower' | 'higher' | 'neither' | 'context'
  /** How far apart two runs of the same binary may lie. */
  readonly noise: number
}

type Better = Figure['better']

/** The median of the rounds; the noise is half the distance between the best and the worst of them. */
export const fromRounds = (rounds: readonly number[], better: Better): Figure => ({
  value: median(rounds),
  better,
  noise: (Math.max(...rounds) - Math.min(...rounds)) / 2,
})

/** A figure that was measured once. `noise` is a share of the value, or an amount in the figure's own unit. */
export const once = (value: number, better: Better, noise: { readonly share: number } | { readonly amount: number }): Figure => ({
  value,
  better,
  noise: 'share' in noise ? Math.abs(value) * noise.share : noise.amount,
})

/** A figure that is not compared. */
export const context = (value: number): Figure => ({ value, better: 'context', noise: 0 })
