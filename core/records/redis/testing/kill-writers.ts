import { expect } from 'bun:test'
import { join } from 'node:path'
import { seededRandom } from '../../../testing/random.ts'
import { agreed } from './agree.ts'
import { openShared, sharedFolder } from './open-shared.ts'
import { checkSums } from './walk-checks.ts'

/** A change that a writer said it has made: id, version, and whether the key is still there. */
type Said = readonly [number, number, boolean]

/** Kills two processes that change the same keys, again and again. What they said is so, and each change is in one audit, once. */
export async function killWriters(url: string, rounds: number): Promise<number> {
  const random = seededRandom(rounds)
  using one = sharedFolder()
  using other = sharedFolder()
  const said: Said[] = []
  const run = async (folder: string, seed: number) => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, 'shared-writer.ts'), url, folder, `${seed}`], {
      stdout: 'pipe',
      stderr: 'inherit',
    })
    const mostLines = Math.floor(random() * 300)
    let text = ''
    let lines = 0
    const decoder = new TextDecoder()
    for await (const bytes of child.stdout) {
      text += decoder.decode(bytes, { stream: true })
      lines += bytes.filter(byte => byte === 10).length
      if (lines >= mostLines) child.kill('SIGKILL') // and read on: what it had said until then counts too
    }
    await child.exited
    expect(child.signalCode).toBe('SIGKILL')
    for (const line of text.split('\n').slice(0, -1)) said.push(JSON.parse(line) as Said)
  }
  for (let round = 0; round < rounds; round++) await Promise.all([run(one.path, 2 * round + 1), run(other.path, 2 * round + 2)])

  await using first = await openShared(url, { folder: one.path })
  await using second = await openShared(url, { folder: other.path })
  const { keys } = await agreed([first, second])
  for (const [id, version, isThere] of said) {
    const key = keys.find(found => found.id === id)
    if (isThere && key) expect(key.version).toBeGreaterThanOrEqual(version)
    if (!isThere) expect(key).toBeUndefined()
  }
  await checkSums([first, second])
  return said.length
}
