import { stat } from 'node:fs/promises'
import { type Gguf, readGguf } from './gguf.ts'

/** Reads GGUF files, and each only once as long as it stays the same. */
export type GgufReader = (path: string) => Promise<Gguf>

/** Far more than a folder of models has. */
const mostFiles = 4096

/** A reader that remembers what it has read, by the size and the times of the first file. */
export function cachedGguf(read: GgufReader = readGguf): GgufReader {
  const known = new Map<string, { readonly stamp: string; readonly gguf: Promise<Gguf> }>()
  return async path => {
    const stamp = await stampOf(path)
    const before = known.get(path)
    if (before && before.stamp === stamp) return before.gguf
    const gguf = read(path)
    known.delete(path)
    known.set(path, { stamp, gguf })
    for (const oldest of known.keys()) {
      if (known.size <= mostFiles) break
      known.delete(oldest)
    }
    // what failed is tried again: the other parts may be there by then
    gguf.catch(() => known.get(path)?.gguf === gguf && known.delete(path))
    return gguf
  }
}

async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return found ? `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}` : ''
}
