import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The disk a folder is or would be on. */
export interface Disk {
  readonly totalBytes: number
  /** What we may still write; less than what is free, where the system keeps a reserve. */
  readonly freeBytes: number
  readonly usedBytes: number
}

/** Looks at the folder or the nearest one above it that exists, and makes none. Undefined when the system does not say. */
export async function readDisk(folder: string): Promise<Disk | undefined> {
  try {
    const { bsize, blocks, bfree, bavail } = await statfs(folder)
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize, usedBytes: (blocks - bfree) * bsize }
  } catch {
    const above = dirname(folder)
    return above === folder ? undefined : readDisk(above)
  }
}
