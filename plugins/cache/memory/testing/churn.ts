import { join } from 'node:path'

/** What a process that inserted answers of random sizes says of itself, in bytes. */
export interface Churned {
  /** What the cache says it takes. */
  readonly counted: number
  /** The most the process grew by meanwhile, garbage included. */
  readonly peak: number
  /** What it had grown by when the garbage was collected; the most, if answers of several sizes came. */
  readonly settled: number
  /** And after recordings of twice its limit had come and gone. */
  readonly afterBurst: number
  /** And when its limit was then lowered to 1 MiB. */
  readonly shrunk: number
  /** And when all was cleared, with the old limit and full again. */
  readonly cleared: number
}

export interface ChurnOptions {
  /** Three tenths of them arrive in parts, several at the same time, and are read meanwhile. */
  readonly inserts?: number
  /** The largest answer; the smallest have 100 bytes. If there are several, each has its share of the inserts, one after the other. */
  readonly largest?: readonly number[]
}

/**
 * Runs one. `cache`: with a cache of 64 MiB. `still`: with one of 1 MiB and 63 MiB of buffers that nobody touches again;
 * what that grows by is the garbage of the inserts themselves, which the collector lets lie in proportion to all that
 * is alive.
 */
export async function churn(mode: 'cache' | 'still', { inserts = 100_000, largest = [64_000] }: ChurnOptions = {}): Promise<Churned> {
  const script = join(import.meta.dir, 'churning.ts')
  const child = Bun.spawn([process.execPath, script, mode, String(inserts), largest.join()], { stdout: 'pipe', stderr: 'inherit' })
  const output = await child.stdout.text()
  if ((await child.exited) !== 0) throw new Error(`the process that inserts failed: ${output}`)
  return JSON.parse(output)
}
