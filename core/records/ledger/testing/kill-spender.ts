import { expect } from 'bun:test'
import { join } from 'node:path'
import { ledgerFolder, openAlone } from './open-ledger.ts'

/** What one killing showed. */
export interface Killing {
  readonly settled: number
  /** Requests that were found open, and charged. */
  readonly leftOpen: number
}

/** Lets a process spend for a while, kills it, and compares what it said it had settled with what the next start finds. */
export async function killSpender(seed: number, afterMs: number): Promise<Killing> {
  using folder = ledgerFolder()
  const path = join(folder.path, 'ledger.db')
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'spender.ts'), path, String(seed)], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const started = Promise.withResolvers<void>()
  const read = async () => {
    let text = ''
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += part
      started.resolve()
    }
    return text.slice(0, text.lastIndexOf('\n')).split('\n')
  }
  const reading = read()
  await Promise.race([started.promise, child.exited])
  await Bun.sleep(afterMs)
  child.kill('SIGKILL')
  await child.exited
  const lines = await reading

  const settled = new Map<number, number>()
  const begun = new Map<number, number>()
  let requests = 0
  for (const line of lines) {
    const [word, key = 0, tokens = 0] = line.split(' ').map((part, at) => (at === 0 ? part : Number(part))) as [string, number, number]
    const sums = word === 'done' ? settled : begun
    sums.set(key, (sums.get(key) ?? 0) + tokens)
    if (word === 'done') requests++
  }
  expect(requests).toBeGreaterThan(0)

  const { ledger, database, lines: said, close } = openAlone(path)
  for (const keyId of [1, 2, 3]) {
    const { used, reserved } = await ledger.balance({ keyId, period: 'total', limit: null })
    expect(used).toBeGreaterThanOrEqual(settled.get(keyId) ?? 0)
    expect(used).toBeLessThanOrEqual((begun.get(keyId) ?? 0) + 50 * 1000) // at most one line of each could not be written any more
    expect(reserved).toBe(0)
  }
  expect(database.query('SELECT count(*) AS rows FROM ledger_open').get()).toEqual({ rows: 0 })
  close()
  return { settled: requests, leftOpen: said[0]?.requests ?? 0 }
}
