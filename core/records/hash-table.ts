const hashBytes = 32
const hashWords = hashBytes / 4

/**
 * Numbers by SHA-256. The hashes stand in one array: as strings in a Map, those of 100,000 keys take 15 MB instead of 5.
 * They are as good as random, so the first bytes say where to look, and the next free place is near.
 */
export interface HashTable {
  /** The number of a hash, or 0. */
  find(sha256: Uint8Array): number
  /** Gives a hash a number that is not 0, in the place of the one it had. */
  set(sha256: Uint8Array, value: number): void
  /** Forgets all hashes with this number. Looks at every place: for changes, not for requests. */
  forget(value: number): void
  readonly size: number
}

/** An empty table; it grows as it needs to. */
export function createHashTable(): HashTable {
  let capacity = 1024
  let words = new Int32Array(capacity * hashWords)
  let values = new Int32Array(capacity)
  let size = 0
  const wanted = new Uint8Array(hashBytes)
  const wantedWords = new Int32Array(wanted.buffer)

  const isWanted = (place: number) => {
    for (let i = 0; i < hashWords; i++) if (words[place * hashWords + i] !== wantedWords[i]) return false
    return true
  }
  /** Where the wanted hash is, or where it would be put. */
  const look = () => {
    let place = (wantedWords[0] as number) & (capacity - 1)
    while (values[place] !== 0 && !isWanted(place)) place = (place + 1) & (capacity - 1)
    return place
  }
  const grow = () => {
    const [oldWords, oldValues] = [words, values]
    capacity *= 2
    words = new Int32Array(capacity * hashWords)
    values = new Int32Array(capacity)
    oldValues.forEach((value, place) => {
      if (value === 0) return
      wantedWords.set(oldWords.subarray(place * hashWords, (place + 1) * hashWords))
      put(look(), value)
    })
  }
  const put = (place: number, value: number) => {
    words.set(wantedWords, place * hashWords)
    values[place] = value
  }
  /** Moves up those behind it that would no longer be found. */
  const free = (place: number) => {
    let gap = place
    for (let next = (gap + 1) & (capacity - 1); values[next] !== 0; next = (next + 1) & (capacity - 1)) {
      const home = (words[next * hashWords] as number) & (capacity - 1)
      if (((next - home) & (capacity - 1)) < ((next - gap) & (capacity - 1))) continue
      words.copyWithin(gap * hashWords, next * hashWords, (next + 1) * hashWords)
      values[gap] = values[next] as number
      gap = next
    }
    values[gap] = 0
    size--
  }

  return {
    find(sha256) {
      wanted.set(sha256)
      return values[look()] as number
    },
    set(sha256, value) {
      if (size + 1 > capacity * 0.8) grow()
      wanted.set(sha256)
      const place = look()
      if (values[place] === 0) size++
      put(place, value)
    },
    forget(value) {
      for (let place = values.indexOf(value); place !== -1; place = values.indexOf(value)) free(place)
    },
    get size() {
      return size
    },
  }
}
