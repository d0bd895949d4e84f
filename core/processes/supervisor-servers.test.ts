import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { freePort } from '../discover/testing.ts'
import { portChooser } from './launch/choose-port.ts'
import type { ProcessTimes } from './server-process-spec.ts'
import { createSupervisor } from './supervisor.ts'
import { gone, isAlive, runner } from './testing/alive.ts'
import { atMost } from './testing/policy.ts'
import { anyPort, keptLog, openFolders, patient, shortTimes, testKey, until } from './testing/server.ts'
import { servers, type TestServer } from './testing/servers.ts'

/** Two of these three models may run. */
const models = ['a', 'b', 'c']

function open(server: TestServer, times: Partial<ProcessTimes> = {}) {
  const folders = openFolders()
  const supervisor = createSupervisor({
    plan: {
      models: models.map(model => server.spec(folders.stand, model)),
      policy: atMost(2),
      choosePort: anyPort,
      times: { ...shortTimes, healthEveryMs: 100, healthTimeoutMs: 2_000, graceMs: 5_000, ...times },
    },
    runFolder: folders.runFolder,
    runner: runner.runner,
    log: keptLog().log,
    askGpus: async () => new Map(),
  })
  const rowOf = (model: string) => supervisor.list().find(row => row.model === model)
  const ask = async (model: string, more: object = {}) => {
    using lease = await supervisor.use(model, patient)
    return await complete(lease.baseUrl, { model: 'whatever', prompt: 'hello', max_tokens: 4, ...more })
  }
  return {
    supervisor,
    rowOf,
    ask,
    pidOf: (model: string) => rowOf(model)?.pid as number,
    async [Symbol.asyncDispose]() {
      await supervisor.close(2_000)
      folders[Symbol.dispose]()
    },
  }
}

async function complete(baseUrl: string, body: object, key = testKey) {
  const response = await fetch(`${baseUrl}/v1/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as { model?: string; choices?: { text: string }[] } }
}

describe.each(servers)('$name', server => {
  test('is started on demand, answers under its name, to its own key only', async () => {
    await using house = open(server)
    const { status, body } = await house.ask('a')
    expect([status, body.model]).toEqual([200, 'a'])
    expect(body.choices?.[0]?.text).toBeString()
    using lease = await house.supervisor.use('a', patient)
    expect((await complete(lease.baseUrl, { prompt: 'hello' }, 'sk-another')).status).toBe(401)
    const props = await fetch(`${lease.baseUrl}/props`, { headers: { authorization: `Bearer ${testKey}` } })
    expect((await props.json()) as object).toMatchObject({ total_slots: 2 })
    await until(() => (house.rowOf('a')?.memory_bytes ?? 0) > 1_000_000, 'a measurement')
  }, 30_000)

  test('makes room for others, each answers for itself', async () => {
    await using house = open(server)
    const answers = await Promise.all([...models, ...models, ...models].map(model => house.ask(model)))
    expect(answers.map(({ body }) => body.model)).toEqual([...models, ...models, ...models])
    expect(house.supervisor.list().filter(({ state }) => state === 'ready')).toHaveLength(2)
  }, 30_000)

  test('comes back after it was killed', async () => {
    await using house = open(server)
    await house.ask('a')
    const pid = house.pidOf('a')
    process.kill(pid, 'SIGKILL')
    await until(() => house.rowOf('a')?.state === 'ready' && house.pidOf('a') !== pid, 'the next one')
    expect((await house.ask('a')).status).toBe(200)
    expect(house.rowOf('a')).toMatchObject({ restarts: 1, exit_code: 137 })
  }, 30_000)

  test('that hangs is replaced', async () => {
    await using house = open(server, { healthTimeoutMs: 1_000, graceMs: 500 })
    await house.ask('a')
    const pid = house.pidOf('a')
    process.kill(pid, 'SIGSTOP')
    await until(() => house.rowOf('a')?.state === 'ready' && house.pidOf('a') !== pid, 'the next one')
    await gone([pid], 0)
    expect((await house.ask('a')).status).toBe(200)
  }, 60_000)

  test('ends in peace when it is unloaded, and says so', async () => {
    await using house = open(server)
    const long = await house.supervisor.use('a', patient)
    const answer = complete(long.baseUrl, { prompt: 'hello', max_tokens: 200 })
    const pid = house.pidOf('a')
    const unloaded = house.supervisor.unload('a')
    expect((await answer).status).toBe(200)
    expect(isAlive(pid)).toBe(true)
    long.release()
    await unloaded
    expect([isAlive(pid), house.rowOf('a')?.exit_code]).toEqual([false, 0])
  }, 30_000)

  test('whose port is taken gets another one', async () => {
    const folders = openFolders()
    const stranger = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('well') })
    const ports = [stranger.port as number]
    const supervisor = createSupervisor({
      plan: {
        models: [server.spec(folders.stand, 'a')],
        policy: atMost(2),
        choosePort: async () => ({ port: ports.shift() ?? (await anyPort()).port, release() {} }),
      },
      runFolder: folders.runFolder,
      runner: runner.runner,
      log: keptLog().log,
    })
    using lease = await supervisor.use('a', patient)
    expect((await complete(lease.baseUrl, { prompt: 'hello', max_tokens: 1 })).body.model).toBe('a')
    expect(lease.port).not.toBe(stranger.port as number)
    await supervisor.close(2_000)
    stranger.stop(true)
    folders[Symbol.dispose]()
  }, 30_000)

  test('shares the ports of this machine with that of another gatehouse', async () => {
    const first = await freePort()
    const houses = [1, 2].map(() => {
      const folders = openFolders()
      const supervisor = createSupervisor({
        plan: { models: models.map(model => server.spec(folders.stand, model)), policy: atMost(3), choosePort: portChooser(first) },
        runFolder: folders.runFolder,
        runner: runner.runner,
        log: keptLog().log,
      })
      return { folders, supervisor }
    })
    const leases = await Promise.all(
      houses.flatMap(({ supervisor }) => models.map(async model => ({ model, lease: await supervisor.use(model, patient) }))),
    )
    expect(new Set(leases.map(({ lease }) => lease.port)).size).toBe(6)
    const answers = await Promise.all(leases.map(({ lease }) => complete(lease.baseUrl, { prompt: 'hello', max_tokens: 1 })))
    expect(answers.map(({ body }) => body.model)).toEqual(leases.map(({ model }) => model))
    for (const { folders, supervisor } of houses) {
      await supervisor.close(2_000)
      folders[Symbol.dispose]()
    }
  }, 60_000)

  test('without its model fails with its own words', async () => {
    const folders = openFolders()
    const supervisor = createSupervisor({
      plan: {
        models: [server.spec(folders.stand, 'a', join(folders.stand.folder, 'missing.gguf'))],
        policy: atMost(2),
        choosePort: anyPort,
      },
      runFolder: folders.runFolder,
      runner: runner.runner,
      log: keptLog().log,
    })
    await expect(supervisor.load('a', patient)).rejects.toThrow("The model 'a' could not be started.")
    const { failure, exitCode } = supervisor.get('a')?.snapshot() ?? {}
    expect(exitCode).toBe(1)
    expect(failure?.lines.join('\n')).toContain('missing.gguf')
    await supervisor.close(500)
    folders[Symbol.dispose]()
  }, 30_000)
})
