import { afterEach, expect, test } from 'bun:test'
import type { Behaviour } from '../testing/model-process/stand-in.ts'
import { evictionPolicy } from './eviction-policy.ts'
import { createSupervisor, type Supervisor } from './supervisor.ts'
import { runner } from './testing/alive.ts'
import { anyPort, keptLog, openFolders, patient, shortTimes, specOf, until } from './testing/server.ts'

const opened: { supervisor: Supervisor; folders: Disposable }[] = []
afterEach(async () => {
  for (const { supervisor, folders } of opened.splice(0)) {
    await supervisor.close(200)
    folders[Symbol.dispose]()
  }
})

const mebi = 1024 ** 2

interface Model {
  /** What is expected of it, in MiB. */
  readonly expected: number
  readonly behaviour?: Behaviour
  readonly preload?: boolean
}

/** A supervisor that goes by memory alone. */
function open(models: Readonly<Record<string, Model>>, limit: number) {
  const folders = openFolders()
  const { log, lines } = keptLog()
  const supervisor = createSupervisor({
    plan: {
      models: Object.entries(models).map(([model, { behaviour, preload }]) => specOf(folders.stand, model, behaviour, { preload })),
      policy: evictionPolicy({ maxLoadedModels: 99, memoryLimit: limit * mebi }, model => ({
        pinned: false,
        footprint: (models[model]?.expected ?? 0) * mebi,
      })),
      choosePort: anyPort,
      times: shortTimes,
    },
    runFolder: folders.runFolder,
    runner: runner.runner,
    log,
    askGpus: async () => new Map(),
  })
  opened.push({ supervisor, folders })
  const rowOf = (model: string) => supervisor.list().find(row => row.model === model)
  return { supervisor, log: lines, rowOf, stateOf: (model: string) => rowOf(model)?.state, starts: folders.stand.starts }
}

test('what holds more than was expected of it counts with that, and goes for another one', async () => {
  const { supervisor, rowOf, stateOf } = open({ a: { expected: 10, behaviour: { memoryBytes: 400 * mebi } }, b: { expected: 300 } }, 600)
  await supervisor.load('a', patient)
  await until(() => (rowOf('a')?.memory_bytes ?? 0) > 400 * mebi, 'the measurement')
  await supervisor.load('b', patient)
  expect([stateOf('a'), stateOf('b')]).toEqual(['stopped', 'ready'])
})

test('what holds more than was expected, and is used, makes others wait', async () => {
  const { supervisor, rowOf, stateOf } = open({ a: { expected: 10, behaviour: { memoryBytes: 400 * mebi } }, b: { expected: 300 } }, 600)
  const lease = await supervisor.use('a', patient)
  await until(() => (rowOf('a')?.memory_bytes ?? 0) > 400 * mebi, 'the measurement')
  const waits = supervisor.load('b', patient)
  await Bun.sleep(100)
  expect([stateOf('a'), stateOf('b'), supervisor.progress('b')]).toEqual(['ready', 'stopped', { state: 'queued', queuePosition: 1 }])
  lease.release()
  await waits
  expect([stateOf('a'), stateOf('b')]).toEqual(['stopped', 'ready'])
})

test('of more that is to be preloaded than fits, the first are, and the log tells of the others', async () => {
  const preload = true
  const { supervisor, log, stateOf, starts } = open(
    {
      ...{ a: { expected: 300, preload }, b: { expected: 300, preload }, c: { expected: 300, preload } },
      ...{ d: { expected: 900, preload }, e: { expected: 10, preload } },
    },
    700,
  )
  await until(() => ['a', 'b', 'e'].every(model => stateOf(model) === 'ready') && log.length >= 5, 'those that fit')
  expect([stateOf('c'), stateOf('d')]).toEqual(['stopped', 'stopped'])
  const told = log.filter(({ level }) => level === 'warn').map(({ facts }) => facts)
  expect(told).toEqual([
    { model: 'c', reason: 'there is no room' },
    { model: 'd', reason: "The model 'd' cannot be loaded: needs 900 MiB of memory, and memory_limit is 700 MiB" },
  ])
  expect([...starts('c'), ...starts('d')]).toEqual([])
  await expect(supervisor.load('d', patient)).rejects.toMatchObject({ status: 503, code: 'model_unavailable' })
  await supervisor.load('c', patient)
  expect(stateOf('c')).toBe('ready')
})
