import { afterEach, describe, expect, test } from 'bun:test'
import { cpuTimeOf } from './process-cpu.ts'
import type { Launch } from './server-process-spec.ts'
import { closeOpened, open, pidOf } from './testing/process.ts'
import { patient, shortTimes, until } from './testing/server.ts'

afterEach(closeOpened)

/** A server with one thread: it answers nobody while it works for somebody. */
const script = `
  const work = ms => { for (const end = performance.now() + ms; performance.now() < end; ); return new Response('done') }
  Bun.serve({ port: Number(process.env.PORT), hostname: '127.0.0.1', fetch: request => {
    const { pathname, searchParams } = new URL(request.url)
    return pathname === '/work' ? work(Number(searchParams.get('ms'))) : new Response('well')
  } })`
const launch = (port: number): Launch => ({
  command: process.execPath,
  args: ['-e', script],
  env: { PATH: process.env.PATH ?? '', PORT: String(port) },
  healthPath: '/health',
})
/** A hang is over after two looks, and in any case after forty. */
const often = { ...shortTimes, healthEveryMs: 50, healthTimeoutMs: 400, healthFailures: 2, graceMs: 100 }

describe.skipIf(process.platform !== 'linux')('a server that answers nobody', () => {
  test('because it works for somebody is left alone', async () => {
    const { process } = open({}, { times: () => often }, { launch })
    using lease = await process.use(patient)
    const pid = pidOf(process)
    const answer = await fetch(`${lease.baseUrl}/work?ms=3000`)
    expect([await answer.text(), pidOf(process), process.snapshot().restarts, lease.gone.aborted]).toEqual(['done', pid, 0, false])
  })

  test('and works for nobody is replaced', async () => {
    const { process } = open({}, { times: () => often }, { launch })
    const lease = await process.use(patient)
    const pid = pidOf(process)
    fetch(`${lease.baseUrl}/work?ms=60000`).catch(() => undefined)
    lease.release()
    await until(() => process.state === 'ready' && pidOf(process) !== pid, 'the next one')
    expect(process.snapshot().restarts).toBe(1)
  })

  test('and works without end is replaced, too', async () => {
    const { process } = open({}, { times: () => ({ ...often, healthTimeoutMs: 100 }) }, { launch })
    const lease = await process.use(patient)
    const pid = pidOf(process)
    fetch(`${lease.baseUrl}/work?ms=60000`).catch(() => undefined)
    await until(() => lease.gone.aborted, 'the end of patience')
    expect(lease.gone.reason).toMatchObject({ status: 502, code: 'bad_gateway' })
    await until(() => process.state === 'ready' && pidOf(process) !== pid, 'the next one')
    lease.release()
  })
})

test.skipIf(process.platform !== 'linux')('the work of processes is counted', () => {
  const before = cpuTimeOf([process.pid]) as number
  for (const end = performance.now() + 150; performance.now() < end; );
  expect(cpuTimeOf([process.pid]) as number).toBeGreaterThan(before)
  expect(cpuTimeOf([])).toBe(0)
})
