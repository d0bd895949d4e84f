import type { FileHandle } from 'node:fs/promises'

/** Walks through the beginning of a file. The short reads are for what `fill` has made sure of. */
export interface Cursor {
  /** The place in the file of the next byte. */
  readonly at: () => number
  /** How many bytes can be read without `fill`. */
  readonly ready: () => number
  /** Makes so many bytes ready, at most `longest`. Throws when the file ends before, or when too much was read altogether. */
  fill(count: number): Promise<void>
  /** Goes on behind so many bytes, without reading them. */
  skip(count: number): void
  u32(): number
  /** Throws when it is no number that can be counted with. */
  u64(): number
  take(count: number): Uint8Array
}

/** The most that `fill` can make ready. */
export const longest = 128 * 1024

/** Nothing that is asked of a file needs more: the longest headers there are have 20 MB. */
const budget = 256 * 1024 * 1024

export function openCursor(file: FileHandle, size: number): Cursor {
  const buffer = new Uint8Array(longest)
  const view = new DataView(buffer.buffer)
  let start = 0 // the place in the file of the buffer's first byte
  let next = 0
  let end = 0
  let total = 0
  const advance = (count: number) => {
    next += count
    return next - count
  }

  async function fill(count: number): Promise<void> {
    if (end - next >= count) return
    if (start + next + count > size) throw new Error('ends in the middle of its header')
    buffer.copyWithin(0, next, end)
    start += next
    end -= next
    next = 0
    while (end < count) {
      const { bytesRead } = await file.read(buffer, end, buffer.length - end, start + end)
      if (bytesRead === 0) throw new Error('ends in the middle of its header')
      end += bytesRead
      total += bytesRead
      if (total > budget) throw new Error(`has a header of more than ${budget / 1024 ** 2} MiB`)
    }
  }

  return {
    at: () => start + next,
    ready: () => end - next,
    fill,
    skip(count) {
      if (start + next + count > size) throw new Error('ends in the middle of its header')
      if (count <= end - next) {
        next += count
        return
      }
      start += next + count
      next = 0
      end = 0
    },
    u32: () => view.getUint32(advance(4), true),
    u64() {
      const value = view.getBigUint64(advance(8), true)
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('has a number in its header that is beyond all measure')
      return Number(value)
    },
    take: count => buffer.slice(next, advance(count) + count),
  }
}
