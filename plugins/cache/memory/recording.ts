import type { Head } from '../kept.ts'
import type { Chain } from './chain.ts'

/** An answer on its way into the memory. Places are bytes from its beginning. */
export interface Recording {
  /** How much was written so far. */
  readonly length: number
  /**
   * Writes on, always. False from then on when it is too long or finds no room: it will not be kept, and whoever goes on
   * writes only for those who read, and forgets what they have read.
   */
  append(bytes: Uint8Array): boolean
  /** A copy of up to `most` bytes from a place on; empty at the end. As fast at any place, until `release`. */
  read(at: number, most: number): Uint8Array<ArrayBuffer>
  /** Gives back what lies in front of a place, which nobody will read again. It will not be kept then. */
  forget(before: number): void
  /**
   * Makes it an entry of the memory, in place of one of the same key. False, and nothing has changed, when it cannot be:
   * too long, no room, forgotten in part, kept or released before. It can be read all the same, also when the entry goes.
   */
  keep(key: string, head: Head): boolean
  /** Nobody writes or reads any more. Must be called in the end, also after `keep`. */
  release(): void
}

/** What a recording needs of the memory that it is in. */
export interface Room {
  /** Bytes of the longest recording that may be kept. */
  readonly longest: number
  /** Makes room for so many more blocks; false when recordings alone take too much. */
  makeRoom(blocks: number): boolean
  keep(chain: Chain, key: string, head: Head): boolean
  release(chain: Chain): void
}

/** A recording in an empty chain. */
export function createRecording(chain: Chain, room: Room): Recording {
  let state: 'open' | 'kept' | 'released' = 'open'
  let keepable = true
  let length = 0
  let forgotten = 0

  return {
    get length() {
      return length
    },
    append(bytes) {
      if (state !== 'open') throw new Error(`this recording was ${state} before these bytes came`)
      const fits = room.makeRoom(chain.needs(bytes.length))
      chain.append(bytes)
      length += bytes.length
      keepable &&= fits && length <= room.longest
      return keepable
    },
    read(at, most) {
      if (state === 'released') throw new Error('this recording was released before it was read')
      if (at < forgotten) throw new Error(`the first ${forgotten} bytes of this recording were forgotten, and ${at} is one of them`)
      return chain.read(at, Math.max(0, Math.min(most, length - at)))
    },
    forget(before) {
      if (state !== 'open' || before <= forgotten) return
      keepable = false
      forgotten = Math.min(before, length)
      chain.forget(forgotten)
    },
    keep(key, head) {
      if (state !== 'open' || !keepable || length > room.longest || !room.keep(chain, key, head)) return false
      state = 'kept'
      return true
    },
    release() {
      if (state === 'released') return
      state = 'released'
      room.release(chain)
    },
  }
}
