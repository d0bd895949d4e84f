import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { gone, isAlive } from '../processes/testing/alive.ts'

test('a server and all it has started are gone when gatehouse is killed', async () => {
  const house = Bun.spawn([process.execPath, join(import.meta.dir, 'testing', 'house.ts')], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const { value } = await house.stdout.getReader().read()
  const pids = JSON.parse(new TextDecoder().decode(value)) as number[]
  expect(pids.map(isAlive)).toEqual([true, true, true])
  house.kill('SIGKILL')
  await gone(pids)
})
