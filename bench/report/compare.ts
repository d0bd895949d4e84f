import type { Figure } from './figure.ts'
import type { Results } from './results.ts'

/** A figure now and then. */
export interface Change {
  readonly name: string
  readonly then: number
  readonly now: number
  /** How far apart the two may lie without meaning anything. */
  readonly noise: number
  /** `moved` is beyond the noise too, but neither good nor bad: the machine, or somebody else's program. */
  readonly verdict: 'better' | 'worse' | 'moved' | 'same'
}

/** What became of a part since the saved results. */
export interface Comparison {
  readonly changes: readonly Change[]
  /** Figures the saved results do not have. */
  readonly unknown: readonly string[]
  /** Figures only the saved results have. */
  readonly missing: readonly string[]
}

/** Nothing below this share is a change: two builds of the same source differ by as much. */
const least = 0.05

/** Compares a part's figures with the saved ones; undefined when the part was not saved. */
export function compare(part: string, figures: Readonly<Record<string, Figure>>, saved: Results | undefined): Comparison | undefined {
  const old = saved?.parts[part]
  if (!old) return
  const changes = Object.entries(figures).flatMap(([name, figure]) => {
    const then = old[name]
    return typeof then !== 'number' || figure.better === 'context' ? [] : judge(name, figure, then, saved.noise?.[part]?.[name] ?? 0)
  })
  return {
    changes,
    unknown: Object.keys(figures).filter(name => old[name] === undefined),
    missing: Object.keys(old).filter(name => figures[name] === undefined),
  }
}

/** The larger noise of the two runs counts: each says how unruly the machine was that day. */
function judge(name: string, { value: now, better, noise: noiseNow }: Figure, then: number, noiseThen: number): Change {
  const noise = Math.max(noiseNow, noiseThen, least * Math.abs(then))
  const beyond = Math.abs(now - then) > noise
  const improved = better === 'lower' ? now < then : now > then
  return { name, then, now, noise, verdict: !beyond ? 'same' : better === 'neither' ? 'moved' : improved ? 'better' : 'worse' }
}
