import { readPrivate, writePrivate } from '../data-folder/private-file.ts'

/** What the processes of models really had, over restarts of gatehouse. */
export interface LearnedFootprints {
  /** The bytes of a model that ran with this config; undefined when it never did. */
  of(model: string, print: string): number | undefined
  /** Takes over what a process has now; call it again while it runs, because it grows. */
  learn(model: string, print: string, bytes: number): void
}

interface Entry {
  readonly print: string
  readonly bytes: number
}

/** Models come and go; those that were learned longest ago are forgotten. */
const mostModels = 512
/** Of what it was too high, so much is given back at each look. */
const easing = 1 / 8
/** A change of less is not worth writing. */
const noticed = 1 / 64

/**
 * Keeps footprints in a file that only its owner can read; one that is broken or missing is an empty one. More is
 * believed at once, less little by little: what counts is the most that it needs, not what it has when it is idle.
 * Something else is learned anew when the print, that of the config, changes. `onError` gets what went wrong in writing.
 */
export function learnedFootprints(path: string, onError: (error: unknown) => void): LearnedFootprints {
  const known = new Map(entriesOf(readPrivate(path)))
  return {
    of(model, print) {
      const entry = known.get(model)
      return entry?.print === print ? entry.bytes : undefined
    },
    learn(model, print, bytes) {
      if (!Number.isFinite(bytes) || bytes <= 0) return
      const before = known.get(model)
      const same = before?.print === print
      const learned = Math.round(same && bytes < before.bytes ? before.bytes - (before.bytes - bytes) * easing : bytes)
      if (same && Math.abs(learned - before.bytes) < before.bytes * noticed) return
      known.delete(model)
      known.set(model, { print, bytes: learned })
      for (const oldest of known.keys()) {
        if (known.size <= mostModels) break
        known.delete(oldest)
      }
      try {
        writePrivate(path, Object.fromEntries(known))
      } catch (error) {
        onError(error)
      }
    },
  }
}

function entriesOf(stored: unknown): [string, Entry][] {
  if (typeof stored !== 'object' || stored === null) return []
  return Object.entries(stored).flatMap(([model, entry]) => {
    const { print, bytes } = (entry ?? {}) as Partial<Entry>
    return typeof print === 'string' && typeof bytes === 'number' && Number.isFinite(bytes) && bytes > 0 ? [[model, { print, bytes }]] : []
  })
}
