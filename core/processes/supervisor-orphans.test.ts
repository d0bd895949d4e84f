import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Grandchild } from '../testing/model-process/stand-in.ts'
import { endLeftovers } from './pid-file-leftovers.ts'
import { statOf } from './process-list.ts'
import { gone, isAlive } from './testing/alive.ts'
import { openFolders } from './testing/server.ts'

const kinds: readonly Grandchild[] = ['plain', 'own-session', 'deaf']
const models = ['a', 'b', 'c']

/** A house with three models, each with grandchildren of every kind, and the pids of all and of the shims. */
async function openHouse(deaf: boolean) {
  const folders = openFolders()
  for (const model of models) folders.stand.model(model, { grandchildren: kinds, deaf })
  const script = join(import.meta.dir, 'testing', 'house.ts')
  const house = Bun.spawn([process.execPath, script, folders.stand.folder, folders.runFolder, ...models], {
    stdout: 'pipe',
    stdin: 'ignore',
  })
  await house.stdout.getReader().read()
  const starts = models.flatMap(folders.stand.starts)
  const pids = starts.flatMap(({ pid, grandchildren }) => [pid, ...grandchildren])
  const shims = starts.map(({ pid }) => Number(statOf(pid)?.[1]))
  expect(pids).toHaveLength(12)
  expect([...pids, ...shims].filter(isAlive)).toHaveLength(15)
  return {
    ...{ house, pids, shims, runFolder: folders.runFolder },
    [Symbol.dispose]() {
      for (const pid of [house.pid, ...pids, ...shims].filter(isAlive)) process.kill(pid, 'SIGKILL')
      folders[Symbol.dispose]()
    },
  }
}

describe.each([
  ['that end when told', false],
  ['deaf to SIGTERM', true],
])('three children %s, with nine grandchildren', (_, deaf) => {
  test.each(['SIGKILL', 'SIGTERM'] as const)('are gone soon after a %s of the house', async signal => {
    using opened = await openHouse(deaf)
    const { house, pids, shims } = opened
    house.kill(signal)
    await house.exited
    await gone([...pids, ...shims], 8_000)
  })

  test('are gone when the shims are killed', async () => {
    using opened = await openHouse(deaf)
    const { house, pids, shims } = opened
    for (const shim of shims) process.kill(shim, 'SIGKILL')
    await gone([...pids, ...shims], 8_000)
    house.kill('SIGKILL')
    await house.exited
  })

  test('are ended at the next start when the house and the shims are killed at once', async () => {
    using opened = await openHouse(deaf)
    const { house, pids, shims, runFolder } = opened
    process.kill(house.pid, 'SIGSTOP') // so that it notices nothing
    for (const pid of [...shims, house.pid]) process.kill(pid, 'SIGKILL')
    await house.exited
    expect(readdirSync(runFolder)).toHaveLength(3)
    const left = pids.filter(isAlive)
    expect(left.length).toBeGreaterThan(0) // those with a session of their own, at least
    expect((await endLeftovers(runFolder, 300)).map(({ model }) => model).sort()).toEqual(models)
    await gone(pids, 0)
    expect(readdirSync(runFolder)).toEqual([])
  })
})
