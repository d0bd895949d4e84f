/** The turns of the event loop, as far as answers are concerned. */
export interface Turns {
  /** The end of this turn, for an answer that is ready; undefined when it had better leave at once. */
  end(): Promise<void> | undefined
}

/** Those who came first do not wait for more than this. */
const mostTogether = 64
/** When answers come one by one, every so many-th looks whether that is still so. */
const lookEvery = 16

/**
 * Lets answers that are ready in the same turn leave together. Each answer that leaves by itself finds its client asleep,
 * and waking it costs more than sending: over 50 connections, cache hits take 5 to 9 µs less this way, and a fifth more of
 * them leave in a second. Where answers come one by one, waiting would cost 5 µs instead.
 */
export function createTurns(): Turns {
  let ending: Promise<void> | undefined
  let leave = () => {}
  let together = 0
  let crowded = false
  let alone = 0

  const open = () => {
    const opened = new Promise<void>(resolve => {
      leave = () => {
        crowded = together > 1
        together = 0
        ending = undefined
        resolve()
      }
    })
    setImmediate(() => {
      if (ending === opened) leave()
    })
    return opened
  }

  return {
    end() {
      if (!ending && !crowded && ++alone % lookEvery !== 0) return
      ending ??= open()
      const end = ending
      if (++together === mostTogether) leave()
      return end
    },
  }
}
