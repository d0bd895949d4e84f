import { afterEach, expect, test } from 'bun:test'
import { closeOpened, errorOf, open, pidOf } from './testing/process.ts'
import { patient, shortTimes, until } from './testing/server.ts'

afterEach(closeOpened)

const hour = 3_600_000

/** The clock of a machine that somebody sets. */
function settableClock() {
  let offset = 0
  return {
    clocks: { now: () => Date.now() + offset, steady: () => performance.now() },
    set(ms: number) {
      offset += ms
    },
  }
}

test.each([-hour, hour])('a clock that is set by %d ms does not change when it comes back after a crash', async ms => {
  const { clocks, set } = settableClock()
  const times = { ...shortTimes, restarts: { ...shortTimes.restarts, firstMs: 300, longestMs: 300 } }
  const { process } = open({}, { clocks, times: () => times })
  ;(await process.use(patient)).release()
  const before = pidOf(process)
  globalThis.process.kill(before, 'SIGKILL')
  await until(() => process.state === 'stopped', 'the end')
  set(ms)
  const asked = performance.now()
  ;(await process.use(patient)).release()
  expect(performance.now() - asked).toBeGreaterThan(100)
  expect(pidOf(process)).not.toBe(before)
})

test('a clock that is set back does not make a failure last', async () => {
  const { clocks, set } = settableClock()
  const { process, stand } = open({ exitAtStart: 1 }, { clocks, times: () => ({ ...shortTimes, cooldownMs: 300 }) })
  await errorOf(process.use(patient))
  set(-hour)
  const error = await errorOf(process.use(patient))
  expect(Number(error.extra.headers?.['retry-after'])).toBeLessThan(5)
  stand.model('m')
  await Bun.sleep(400)
  ;(await process.use(patient)).release()
  expect(process.state).toBe('ready')
})

test('a clock that is set forth does not stop what was used a moment ago, and one that is set back does not keep it', async () => {
  const { clocks, set } = settableClock()
  const { process } = open({}, { clocks }, { ttlMs: 1_500 })
  ;(await process.use(patient)).release()
  set(hour)
  await Bun.sleep(300)
  expect(process.state).toBe('ready')
  set(-2 * hour)
  await until(() => process.state === 'stopped', 'the end of what nobody uses')
})
