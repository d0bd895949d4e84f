import type { Affinity } from './affinity.ts'

/** Which target has answered what last. */
export interface PrefixMemory {
  /** The target that has seen most of what a request begins with; what many have in common does not count. */
  find(affinity: Affinity): string | undefined
  /** This target has answered a request that begins so. */
  remember(affinity: Affinity, target: string): void
  /** What it takes, however much is in it. */
  readonly bytes: number
}

const ways = 8
const entryBytes = Float64Array.BYTES_PER_ELEMENT + Uint16Array.BYTES_PER_ELEMENT + Uint32Array.BYTES_PER_ELEMENT
const mostTargets = 2 ** 16
/** Of a long conversation the end is remembered, because the next request begins with it or with a little less, and its home. */
const mostKept = 8

/**
 * An associative cache as processors have them: a hash has one set of eight entries it may be in, and takes the place of the
 * one that was not used for the longest time. So it takes the same memory always, and nothing of it is an object (a Map of as
 * many takes five times that, and finding its oldest entry takes longer the more there are).
 */
export function createPrefixMemory(maxBytes: number): PrefixMemory {
  const sets = Math.max(1, Math.floor(maxBytes / (ways * entryBytes)))
  const keys = new Float64Array(sets * ways) // 0: free
  const targets = new Uint16Array(sets * ways)
  const usedAt = new Uint32Array(sets * ways)
  const names: string[] = []
  const numbers = new Map<string, number>()
  let clock = 0

  const tick = () => {
    if (clock === 2 ** 32 - 1) {
      usedAt.fill(0)
      clock = 0
    }
    clock++
    return clock
  }
  const numberOf = (target: string): number => {
    const known = numbers.get(target)
    if (known !== undefined) return known
    if (names.length === mostTargets) {
      keys.fill(0)
      names.length = 0
      numbers.clear()
    }
    names.push(target)
    numbers.set(target, names.length - 1)
    return names.length - 1
  }
  /** The entry of a hash, or the one it would take the place of. */
  const entryOf = (key: number): number => {
    const first = (key % sets) * ways
    let oldest = first
    for (let at = first; at < first + ways; at++) {
      if (keys[at] === key) return at
      if ((usedAt[at] as number) < (usedAt[oldest] as number)) oldest = at
    }
    return oldest
  }
  const put = (hash: bigint, target: number) => {
    const key = keyOf(hash)
    const entry = entryOf(key)
    keys[entry] = key
    targets[entry] = target
    usedAt[entry] = tick()
  }

  return {
    find({ hashes, home }) {
      for (let index = hashes.length - 1; index >= home; index--) {
        const key = keyOf(hashes[index] as bigint)
        const entry = entryOf(key)
        if (keys[entry] !== key) continue
        usedAt[entry] = tick()
        return names[targets[entry] as number]
      }
    },
    remember({ hashes, home }, target) {
      const number = numberOf(target)
      const last = Math.max(home + 1, hashes.length - mostKept)
      put(hashes[home] as bigint, number)
      for (const hash of hashes.slice(last)) put(hash, number)
    },
    bytes: sets * ways * entryBytes,
  }
}

/** As many bits as a number holds, and never 0. */
const keyOf = (hash: bigint): number => Number(BigInt.asUintN(52, hash)) + 1
