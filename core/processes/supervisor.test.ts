import { afterEach, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { GatewayError } from '../errors.ts'
import type { Behaviour } from '../testing/model-process/stand-in.ts'
import { makeMark, withMark } from './mark.ts'
import { writePidFile } from './pid-file.ts'
import { startOf } from './process-identity.ts'
import type { ProcessSpec } from './server-process-spec.ts'
import { createSupervisor, type Supervisor, type SupervisorOptions, type SupervisorTimes } from './supervisor.ts'
import { gone, isAlive, runner } from './testing/alive.ts'
import { atMost } from './testing/policy.ts'
import { anyPort, chat, keptLog, openFolders, patient, shortTimes, specOf, until } from './testing/server.ts'

const opened: { supervisor: Supervisor; folders: Disposable }[] = []
afterEach(async () => {
  for (const { supervisor, folders } of opened.splice(0)) {
    await supervisor.close(200)
    folders[Symbol.dispose]()
  }
})

type Models = Readonly<Record<string, Behaviour | [Behaviour, Partial<ProcessSpec>]>>

/** A supervisor of these models, of which two may run. */
function open(
  models: Models,
  { most = 2, times = shortTimes, ...more }: Partial<SupervisorOptions> & { most?: number; times?: Partial<SupervisorTimes> } = {},
) {
  const folders = openFolders()
  const { log, lines } = keptLog()
  const planOf = (models: Models, allowed = most) => ({
    models: Object.entries(models).map(([model, behaviour]) =>
      Array.isArray(behaviour) ? specOf(folders.stand, model, ...behaviour) : specOf(folders.stand, model, behaviour),
    ),
    policy: atMost(allowed),
    choosePort: anyPort,
    times,
  })
  const supervisor = createSupervisor({
    plan: planOf(models),
    runFolder: folders.runFolder,
    runner: runner.runner,
    log,
    askGpus: async () => new Map(),
    ...more,
  })
  opened.push({ supervisor, folders })
  const rowOf = (model: string) => supervisor.list().find(row => row.model === model)
  return {
    supervisor,
    log: lines,
    planOf,
    ...folders,
    starts: folders.stand.starts,
    pidOf: (model: string) => rowOf(model)?.pid as number,
    stateOf: (model: string) => rowOf(model)?.state,
    rowOf,
    ask: async (model: string) => {
      using lease = await supervisor.use(model, patient)
      return await chat(lease.baseUrl, model)
    },
  }
}
const right = (model: string) => ({ status: 200, model })

describe('room', () => {
  test('is made by the one that was not used for longest', async () => {
    const { ask, stateOf, starts } = open({ a: {}, b: {}, c: {} })
    expect(await ask('a')).toEqual(right('a'))
    expect(await ask('b')).toEqual(right('b'))
    expect(await ask('a')).toEqual(right('a'))
    expect(await ask('c')).toEqual(right('c'))
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['ready', 'stopped', 'ready'])
    expect(['a', 'b', 'c'].map(model => starts(model).length)).toEqual([1, 1, 1])
  })

  test('is not made by those that are used; who wants it waits, and may leave', async () => {
    const { supervisor, ask, starts } = open({ a: {}, b: {}, c: {} })
    const [a, b] = await Promise.all([supervisor.use('a', patient), supervisor.use('b', patient)])
    const leaver = new AbortController()
    const left = supervisor.use('c', leaver.signal)
    const waits = ask('c')
    await Bun.sleep(50)
    expect(supervisor.progress('c')).toEqual({ state: 'queued', queuePosition: 1 })
    expect(supervisor.list().map(({ queued }) => queued)).toEqual([0, 0, 2])
    leaver.abort(new Error('gone home'))
    await expect(left).rejects.toThrow('gone home')
    expect(starts('c')).toEqual([])
    b.release()
    expect(await waits).toEqual(right('c'))
    expect(supervisor.list().map(({ state }) => state)).toEqual(['ready', 'stopped', 'ready'])
    a.release()
  })

  test('is not asked of one that has just come up, before its own callers had it', async () => {
    const { supervisor, stateOf } = open({ a: { loadMs: 50 }, b: {} }, { most: 1 })
    const first = supervisor.use('a', patient)
    const second = supervisor.use('b', patient)
    const lease = await first
    await Bun.sleep(50)
    expect(stateOf('a')).toBe('ready')
    lease.release()
    ;(await second).release()
  })

  test('is not taken by a start whose callers have all left', async () => {
    const { supervisor, starts, stateOf } = open({ a: {}, b: {} }, { most: 1 })
    const a = await supervisor.use('a', patient)
    const leaver = new AbortController()
    const left = supervisor.use('b', leaver.signal)
    leaver.abort(new Error('gone home'))
    await expect(left).rejects.toThrow('gone home')
    a.release()
    await Bun.sleep(100)
    expect([stateOf('a'), stateOf('b')]).toEqual(['ready', 'stopped'])
    expect(starts('b')).toEqual([])
  })

  test('that never will be is refused at once', async () => {
    const { supervisor } = open({ a: {} }, { most: 0 })
    await expect(supervisor.use('a', patient)).rejects.toThrow("The model 'a' cannot be loaded: nothing may run")
  })

  test('is had in the end by those who wait for models that are never idle', async () => {
    const { supervisor, ask } = open({ a: {}, b: {} }, { most: 1, times: { ...shortTimes, patienceMs: 100 } })
    let busy = true
    // two loops that overlap, so that a has somebody at any time
    const loop = async () => {
      while (busy) {
        using lease = await supervisor.use('a', patient)
        await chat(lease.baseUrl, 'a')
        await Bun.sleep(20)
      }
    }
    const loops = [loop(), loop(), loop()]
    await until(() => supervisor.list()[0]?.in_flight === 3, 'a is busy')
    expect(await ask('b')).toEqual(right('b'))
    busy = false
    await Promise.all(loops)
  })

  test('is left alone by one that crashed and would have to evict another to come back', async () => {
    const { supervisor, ask, pidOf, stateOf, starts } = open(
      { a: {}, b: {} },
      { most: 1, times: { ...shortTimes, restarts: { ...shortTimes.restarts, firstMs: 200, longestMs: 200 } } },
    )
    await ask('a')
    process.kill(pidOf('a'), 'SIGKILL')
    await until(() => stateOf('a') === 'stopped', 'the end')
    await ask('b')
    await Bun.sleep(400)
    expect([stateOf('a'), stateOf('b')]).toEqual(['stopped', 'ready'])
    expect(starts('a')).toHaveLength(1)
    await supervisor.unload('b')
    expect(await ask('a')).toEqual(right('a'))
  })
})

test('the one that was not used for longest goes, though the clock was set back meanwhile', async () => {
  let offset = 0
  const clocks = { now: () => Date.now() + offset, steady: () => performance.now() }
  const { ask, stateOf } = open({ a: {}, b: {}, c: {} }, { clocks })
  await ask('a')
  offset = -3_600_000
  await ask('b')
  await ask('c')
  expect(['a', 'b', 'c'].map(stateOf)).toEqual(['stopped', 'ready', 'ready'])
})

test('many at once start nothing twice, and everybody is answered by the right one', async () => {
  const models = ['a', 'b', 'c', 'd']
  const { ask, starts } = open(Object.fromEntries(models.map(model => [model, { loadMs: 30 }])))
  const wanted = Array.from({ length: 40 }, (_, index) => models[index % 4] as string)
  expect(await Promise.all(wanted.map(ask))).toEqual(wanted.map(right))
  expect(models.flatMap(model => starts(model).flatMap(({ besides }) => besides))).toEqual([])
  expect(models.map(model => starts(model).length)).toEqual([1, 1, 1, 1])
})

test('a model that is not in the config is not found', async () => {
  const { supervisor } = open({ a: {} })
  const error = await supervisor.use('x', patient).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(GatewayError)
  expect(error).toMatchObject({ status: 404, code: 'model_not_found' })
  await expect(supervisor.load('x', patient)).rejects.toThrow()
  expect([supervisor.has('a'), supervisor.has('x'), supervisor.get('x'), supervisor.progress('x')]).toEqual([
    true,
    false,
    undefined,
    undefined,
  ])
  expect(await supervisor.unload('x')).toBe(false)
})

test('rows tell all there is to know', async () => {
  const { supervisor, ask, rowOf } = open({ a: { loadMs: 100 }, b: { exitAtStart: 5 } })
  expect(rowOf('a')).toEqual({
    ...{ model: 'a', state: 'stopped', pid: null, port: null, since: expect.any(String), last_used: null },
    ...{ in_flight: 0, queued: 0, memory_bytes: null, restarts: 0, exit_code: null },
  })
  const loading = supervisor.load('a', patient)
  await until(() => rowOf('a')?.state === 'starting', 'starting')
  expect(rowOf('a')).toMatchObject({ queued: 1, in_flight: 0 })
  await loading
  await ask('b').catch(() => undefined)
  await until(() => rowOf('a')?.memory_bytes !== null, 'a measurement')
  const row = rowOf('a')
  expect(row).toMatchObject({ state: 'ready', queued: 0, in_flight: 0, exit_code: null })
  expect(new Date(row?.last_used ?? '').getTime()).toBeGreaterThanOrEqual(new Date(row?.since ?? '').getTime() - 50)
  expect(rowOf('b')).toMatchObject({ state: 'failed', pid: null, exit_code: 5 })
  expect(supervisor.get('b')?.snapshot().failure?.lines).toContain('error: unable to allocate the buffer')
})

test('those who wait are told what for', async () => {
  const { supervisor, stateOf } = open({ a: { loadMs: 1_000 } })
  await supervisor.load('a', patient)
  expect(supervisor.progress('a')).toBeUndefined()
  await supervisor.unload('a')
  const loading = supervisor.load('a', patient)
  await until(() => stateOf('a') === 'starting', 'starting')
  const progress = supervisor.progress('a')
  expect(progress?.state).toBe('starting')
  expect(progress?.etaMs).toBeGreaterThan(0)
  await loading
})

describe('memory', () => {
  test('is measured with all that belongs to it, and learned', async () => {
    const learned: [string, number, number][] = []
    const { ask, rowOf, pidOf } = open(
      { a: { memoryBytes: 50_000_000 }, b: {} },
      {
        learn: (model, { main, gpu }) => learned.push([model, main, gpu]),
        askGpus: async () => new Map([[pidOf('a'), 7_000_000]]),
      },
    )
    await ask('a')
    await ask('b')
    await until(() => rowOf('a')?.memory_bytes !== null && rowOf('b')?.memory_bytes !== null, 'the measurements')
    expect(rowOf('a')?.memory_bytes).toBeGreaterThan(60_000_000)
    expect((rowOf('a')?.memory_bytes as number) - (rowOf('b')?.memory_bytes as number)).toBeGreaterThan(40_000_000)
    const last = (model: string) => learned.findLast(([name]) => name === model)?.slice(1)
    expect(last('a')).toEqual([expect.any(Number), 7_000_000])
    expect(last('b')).toEqual([expect.any(Number), 0])
    expect(last('a')?.[0]).toBeGreaterThan(60_000_000)
  })

  test('of what does not run is unknown', async () => {
    const { supervisor, ask, rowOf } = open({ a: {} })
    await ask('a')
    await until(() => rowOf('a')?.memory_bytes !== null, 'the measurement')
    await supervisor.unload('a')
    expect(rowOf('a')?.memory_bytes).toBeNull()
  })

  test('is measured again and again', async () => {
    let asked = 0
    const { ask } = open({ a: {} }, { times: { ...shortTimes, measureEveryMs: 20 }, askGpus: async () => new Map([[++asked, 1]]) })
    await ask('a')
    await until(() => asked > 3, 'measurements')
  })
})

describe('unload', () => {
  test('of all stops all', async () => {
    const { supervisor, ask, stateOf } = open({ a: {}, b: {} })
    await Promise.all([ask('a'), ask('b')])
    await supervisor.unloadAll()
    expect([stateOf('a'), stateOf('b')]).toEqual(['stopped', 'stopped'])
  })

  test('by force does not wait', async () => {
    const { supervisor } = open({ a: {} })
    const lease = await supervisor.use('a', patient)
    expect(await supervisor.unload('a', { force: true })).toBe(true)
    expect(lease.gone.aborted).toBe(true)
    lease.release()
  })
})

describe('a config', () => {
  test('can ask for models to be loaded at once, as far as there is room', async () => {
    const { stateOf, starts } = open({ a: [{}, { preload: true }], b: {}, c: [{}, { preload: true }], d: [{}, { preload: true }] })
    await until(() => stateOf('a') === 'ready' && stateOf('c') === 'ready', 'both')
    expect([stateOf('b'), stateOf('d')]).toEqual(['stopped', 'stopped'])
    expect(starts('d')).toEqual([])
  })

  test('that changes leaves alone what it does not change', async () => {
    const { supervisor, ask, planOf, pidOf, stateOf, starts } = open({ a: {}, b: {}, c: {} }, { most: 3 })
    await Promise.all(['a', 'b', 'c'].map(ask))
    const before = pidOf('a')
    const lease = await supervisor.use('c', patient)
    supervisor.configure(planOf({ a: {}, b: [{}, { print: '2' }], d: {} }, 3))
    expect([supervisor.has('c'), supervisor.has('d')]).toEqual([false, true])
    await until(() => stateOf('b') === 'stopped', 'the end of b')
    expect([pidOf('a'), stateOf('c')]).toEqual([before, 'stopping'])
    expect(await chat(lease.baseUrl, 'c')).toEqual(right('c')) // its last request ends in peace
    lease.release()
    await until(() => supervisor.get('c') === undefined, 'the end of c')
    expect(await Promise.all(['a', 'b', 'd'].map(ask))).toEqual(['a', 'b', 'd'].map(right))
    expect(['a', 'b', 'd'].map(model => starts(model).length)).toEqual([1, 2, 1])
  })

  test('that takes a model out and puts it back while it is used starts it anew', async () => {
    const { supervisor, ask, planOf, starts } = open({ a: {}, b: {} })
    const lease = await supervisor.use('a', patient)
    supervisor.configure(planOf({ b: {} }))
    await expect(supervisor.use('a', patient)).rejects.toThrow()
    supervisor.configure(planOf({ a: {}, b: {} }))
    const next = ask('a')
    lease.release()
    expect(await next).toEqual(right('a'))
    await Bun.sleep(50)
    expect(supervisor.has('a')).toBe(true)
    expect(starts('a').flatMap(({ besides }) => besides)).toEqual([])
  })

  test('gives those who wait the room it adds', async () => {
    const { supervisor, ask, planOf } = open({ a: {}, b: {} }, { most: 1 })
    const lease = await supervisor.use('a', patient)
    const waits = ask('b')
    await Bun.sleep(50)
    supervisor.configure(planOf({ a: {}, b: {} }, 2))
    expect(await waits).toEqual(right('b'))
    lease.release()
  })

  test('that changes a preloaded model brings the new one up', async () => {
    const { supervisor, planOf, stateOf, pidOf } = open({ a: [{}, { preload: true }] })
    await until(() => stateOf('a') === 'ready', 'ready')
    const before = pidOf('a')
    supervisor.configure(planOf({ a: [{}, { preload: true, print: '2' }] }))
    await until(() => stateOf('a') === 'ready' && pidOf('a') !== before, 'the new one')
  })
})

describe('the end', () => {
  test('is that of all of them at once, and nothing is left', async () => {
    const { supervisor, ask, starts, runFolder } = open({
      a: { deaf: true, grandchildren: ['plain'] },
      b: { deaf: true, grandchildren: ['deaf'] },
    })
    await Promise.all([ask('a'), ask('b')])
    expect(readdirSync(runFolder)).toHaveLength(2)
    const before = performance.now()
    await supervisor.close(2_000)
    await supervisor.close(2_000)
    const took = performance.now() - before
    expect(took).toBeGreaterThan(1_990)
    expect(took).toBeLessThan(3_900) // and not twice 2000 and more
    await gone(
      [...starts('a'), ...starts('b')].flatMap(({ pid, grandchildren }) => [pid, ...grandchildren]),
      0,
    )
    expect(readdirSync(runFolder)).toEqual([])
  })

  test('takes no longer than that of one process, however much time there is', async () => {
    const { supervisor, ask, pidOf } = open({ a: { deaf: true } }, { times: { ...shortTimes, graceMs: 300 } })
    await ask('a')
    const pid = pidOf('a')
    const before = performance.now()
    await supervisor.close(60_000)
    expect(performance.now() - before).toBeLessThan(20_000)
    expect(isAlive(pid)).toBe(false)
  })

  test('is the end of changes of the config, too', async () => {
    const { supervisor, planOf, starts } = open({ a: {} })
    const closed = supervisor.close(200)
    supervisor.configure(planOf({ b: [{}, { preload: true }] }))
    await closed
    await Bun.sleep(100)
    expect([supervisor.has('b'), starts('b')]).toEqual([false, []])
  })

  test('refuses those who wait and those who come', async () => {
    const { supervisor } = open({ a: {}, b: {} }, { most: 1 })
    const lease = await supervisor.use('a', patient)
    const waits = supervisor.use('b', patient).catch((reason: unknown) => reason)
    await Bun.sleep(20)
    await supervisor.close(200)
    expect(await waits).toMatchObject({ status: 503, code: 'stopping' })
    expect(await supervisor.use('a', patient).catch((reason: unknown) => reason)).toMatchObject({ status: 503, code: 'stopping' })
    lease.release()
  })
})

test('what an earlier gatehouse has left is ended before anything is started', async () => {
  const folders = openFolders()
  const mark = makeMark()
  const env = withMark({ PATH: process.env.PATH ?? '' }, mark)
  const left = Bun.spawn(['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 0.1; done'], { env, stdout: 'pipe', detached: true })
  await left.stdout.getReader().read()
  writePidFile(folders.runFolder, { model: 'a', mark, port: 1, command: 'sh' }, () => undefined).started(left.pid, startOf(left.pid))
  const { supervisor, log } = open({ a: {} }, { runFolder: folders.runFolder })
  await supervisor.load('a', patient)
  expect(isAlive(left.pid)).toBe(false)
  expect(log.filter(({ level }) => level === 'warn')).toEqual([
    { level: 'warn', message: 'A model process that an earlier gatehouse has left behind was ended', facts: { model: 'a', pid: left.pid } },
  ])
  folders[Symbol.dispose]()
})
