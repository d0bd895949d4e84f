/** Long proof of shared generations over HTTP: run by `npm run test:long`. */
import { expect, test } from 'bun:test'
import { deltaEvent, openBehind, streamed } from './testing/behind.ts'
import { arrived, eventually } from './testing/client.ts'
import { playSchedules } from './testing/schedules.ts'

test.each([
  ['64MB', 10_001],
  ['300KB', 20_001],
])('3000 schedules of joiners and leavers, in %s', async (maxBytes, seed) => {
  const { runs, shared } = await playSchedules(seed, 3000, maxBytes)
  console.log(`the upstream ran ${runs} times; ${shared} requests joined`)
  expect(runs).toBeGreaterThan(3000)
  expect(shared).toBeGreaterThan(3000)
})

test('one who wants a stream without end as a whole gets an error, and takes no more memory', async () => {
  const megabyte = deltaEvent(0, { content: 'x'.repeat(1024 * 1024) })
  await using up = await openBehind(({ released }) =>
    released.then(() => streamed(new ReadableStream({ pull: controller => controller.enqueue(megabyte) }))),
  )
  const reader = up.house.open({ stream: true })
  await eventually(() => up.asked() === 1, 'the upstream has it')
  const whole = up.house.open()
  await arrived(up.house, 2)
  up.release()
  expect((await whole.response).status).toBe(502)
  reader.leave()
  await arrived(up.house, 0)
  expect(up.asked()).toBe(1)
})
