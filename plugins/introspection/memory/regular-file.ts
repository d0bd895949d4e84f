import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** What a file is not; undefined for a regular one. */
export function oddity(info: { isFile(): boolean; isSymbolicLink(): boolean }): string | undefined {
  if (info.isFile()) return undefined
  return info.isSymbolicLink() ? 'it is a symbolic link, and links are not followed' : 'it is no regular file'
}

/** The text of a regular file that is not too large, or why there is none. Rejects for a link, and for what cannot be opened. */
export async function readRegular(file: string, mostBytes: number): Promise<{ readonly text: string } | { readonly reason: string }> {
  const handle = await open(file, carefully)
  try {
    // what is open is looked at, not what has the name: another file may have taken it by now
    const reason = oddity(await handle.stat())
    return reason === undefined ? await readWhole(handle, mostBytes) : { reason }
  } finally {
    await handle.close()
  }
}

/** No link is followed, and a pipe nobody writes to is not waited for. Windows has neither flag. */
const carefully = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

const bytesAtOnce = 64 * 1024

/** The size a file says it has is not believed: it may grow meanwhile. */
async function readWhole(handle: FileHandle, mostBytes: number): Promise<{ readonly text: string } | { readonly reason: string }> {
  const parts: Buffer[] = []
  for (let bytes = 0; bytes <= mostBytes; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(bytesAtOnce), 0, bytesAtOnce, bytes)
    if (bytesRead === 0) return { text: Buffer.concat(parts).toString() }
    parts.push(buffer.subarray(0, bytesRead))
    bytes += bytesRead
  }
  return { reason: `it is larger than ${mostBytes / 1024 ** 2} MiB` }
}
