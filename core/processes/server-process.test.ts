import { afterEach, describe, expect, test } from 'bun:test'
import type { RoomRequest } from './server-process.ts'
import { isLost } from './server-process-life.ts'
import { gone, isAlive } from './testing/alive.ts'
import { closeOpened, errorOf, open, pidOf } from './testing/process.ts'
import { anyPort, chat, patient, shortTimes, specOf, testKey, until } from './testing/server.ts'

afterEach(closeOpened)

const rejected = (signal: AbortSignal) => new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

describe('a start', () => {
  test('happens with the first caller, and is over when the server is well', async () => {
    const { process, starts } = open({ loadMs: 100 })
    expect(process.state).toBe('stopped')
    expect(starts()).toEqual([])
    const using = process.use(patient)
    await until(() => process.state === 'starting', 'starting')
    const lease = await using
    expect(process.state).toBe('ready')
    expect(await chat(lease.baseUrl, 'm')).toEqual({ status: 200, model: 'm' })
    expect(process.snapshot()).toMatchObject({ pid: starts()[0]?.pid, port: lease.port, inFlight: 1, queued: 0, restarts: 0 })
    lease.release()
    lease.release()
    expect(process.snapshot().inFlight).toBe(0)
  })

  test('is shared by all who come meanwhile', async () => {
    const { process, starts } = open({ loadMs: 100 })
    const leases = await Promise.all(Array.from({ length: 20 }, () => process.use(patient)))
    expect(new Set(leases.map(({ port }) => port)).size).toBe(1)
    expect(process.snapshot().inFlight).toBe(20)
    expect(starts()).toHaveLength(1)
    for (const lease of leases) lease.release()
    await process.ensureReady(patient)
    expect(starts()).toHaveLength(1)
  })

  test('goes on for the others when a caller leaves, and even when the last one does', async () => {
    const { process, starts } = open({ loadMs: 200 })
    const leaver = new AbortController()
    const left = process.use(leaver.signal)
    const stayed = process.use(patient)
    await until(() => process.state === 'starting', 'starting')
    leaver.abort(new Error('gone home'))
    await expect(left).rejects.toThrow('gone home')
    expect(process.snapshot().queued).toBe(1)
    ;(await stayed).release()
    await process.unload()

    const alone = new AbortController()
    const nobody = process.use(alone.signal)
    await until(() => starts().length === 2, 'the second start')
    alone.abort(new Error('gone too'))
    await expect(nobody).rejects.toThrow('gone too')
    await until(() => process.state === 'ready', 'ready for nobody')
    expect(process.snapshot().inFlight).toBe(0)
  })

  test('of a caller who has left before is none', async () => {
    const { process, starts } = open()
    await expect(process.use(AbortSignal.abort(new Error('not me')))).rejects.toThrow('not me')
    expect(process.state).toBe('stopped')
    expect(starts()).toEqual([])
  })

  test('that ends too early fails with the exit code and the last words, which no client sees', async () => {
    const { process, log } = open({ exitAtStart: 7, noise: 30 })
    const error = await errorOf(process.use(patient))
    expect([error.status, error.code]).toEqual([503, 'model_unavailable'])
    expect(error.extra.headers?.['retry-after']).toBe('1')
    expect(error.message).not.toContain('7')
    expect(error.message).not.toContain('llama')
    const { state, failure, exitCode } = process.snapshot()
    expect([state, exitCode]).toEqual(['failed', 7])
    expect(failure?.message).toBe('it ended before it was ready, with exit code 7')
    expect(failure?.lines).toHaveLength(20)
    expect(failure?.lines.join('\n')).toContain('unable to allocate')
    expect(String(error.cause)).toContain('unable to allocate')
    expect(log.find(({ level }) => level === 'error')?.facts).toMatchObject({ model: 'm', exit_code: 7 })
  })

  test('that fails late does too', async () => {
    const { process } = open({ loadMs: 100, exitAfterLoading: 3 })
    expect((await errorOf(process.use(patient))).code).toBe('model_unavailable')
    expect(process.snapshot().exitCode).toBe(3)
  })

  test('of a program that does not exist says so in the log', async () => {
    const { process } = open({}, {}, { launch: () => ({ command: 'no-such-server', args: [], env: {}, healthPath: '/health' }) })
    expect((await errorOf(process.use(patient))).code).toBe('model_unavailable')
    expect(process.snapshot().failure?.message).toBe('the command "no-such-server" was not found; is it installed, and on the PATH?')
  })

  test.each([
    // the first two must be listening by then
    ['that is never well', { loadMs: 60_000 }, 4, 'it answered 503'],
    ['that hangs', { hang: 'start' }, 4, 'no answer within'],
    ['that does not even listen', { listenDelayMs: 60_000 }, 0.4, 'ECONNREFUSED|ConnectionRefused|refused'],
  ] as const)('%s is given up in time', async (_, behaviour, seconds, words) => {
    const { process, starts } = open(behaviour, {}, { loadTimeoutMs: seconds * 1000 })
    const error = await errorOf(process.use(patient))
    expect([error.status, error.code]).toEqual([504, 'timeout_load'])
    expect(process.snapshot().failure?.message).toStartWith(`it was not ready within ${seconds} s; asked at /health, `)
    expect(process.snapshot().failure?.message).toMatch(new RegExp(words))
    await gone(
      starts().map(({ pid }) => pid),
      0,
    )
  })

  test('is not tried again at once after a failure, but later', async () => {
    const { process, starts, stand } = open({ exitAtStart: 1 })
    await errorOf(process.use(patient))
    const again = await errorOf(process.use(patient))
    expect([again.status, again.code]).toEqual([503, 'model_unavailable'])
    expect(starts()).toHaveLength(1)
    stand.model('m', {})
    await until(() => Date.now() >= (process.snapshot().failure?.retryAt ?? 0), 'the time to try again')
    ;(await process.use(patient)).release()
    expect(process.snapshot()).toMatchObject({ state: 'ready', failure: undefined })
    expect(starts()).toHaveLength(2)
  })

  test('that keeps failing rests for the cooldown', async () => {
    const { process } = open({ exitAtStart: 1 })
    const pauses: number[] = []
    for (let i = 0; i < 4; i++) {
      await errorOf(process.use(patient))
      const { at, retryAt } = process.snapshot().failure as { at: number; retryAt: number }
      pauses.push(retryAt - at)
      await until(() => Date.now() >= retryAt, 'the time to try again')
    }
    expect(pauses).toEqual([20, 40, 40, 300])
  })

  test('gets the check it asks for, and fails with what that says', async () => {
    let asked: unknown
    const wrong = open(
      {},
      {},
      {
        check: async server => {
          asked = server
          throw new Error('each request has only 512 tokens')
        },
      },
    )
    await errorOf(wrong.process.use(patient))
    expect(asked).toMatchObject({ apiKey: testKey })
    expect(wrong.process.snapshot().failure?.message).toBe('each request has only 512 tokens')
    await gone(
      wrong.starts().map(({ pid }) => pid),
      0,
    )
  })

  test('is moved to another port when the check finds another server', async () => {
    let checks = 0
    const { process, starts } = open(
      {},
      {},
      {
        check: async () => {
          if (checks++ === 0) throw Object.assign(new Error('it does not take our key'), { code: 'EADDRINUSE' })
        },
      },
    )
    ;(await process.use(patient)).release()
    expect(starts()).toHaveLength(2)
  })

  test('without a free port is a failed start', async () => {
    const { process } = open(
      {},
      {
        choosePort: () => {
          throw new Error('there is no free port from 8081 on')
        },
      },
    )
    expect((await errorOf(process.use(patient))).code).toBe('model_unavailable')
    expect(process.snapshot().failure?.message).toBe('there is no free port from 8081 on')
  })

  test('leaves no secret in the log', async () => {
    const { process } = open(
      {},
      {},
      {
        launch: port => ({
          command: 'sh',
          args: ['-c', `echo "my key is $THE_KEY and ${testKey}, port ${port}"; exit 1`],
          env: { PATH: '/usr/bin:/bin', THE_KEY: 'sk-very-secret-thing' },
          apiKey: testKey,
          healthPath: '/',
        }),
      },
    )
    await errorOf(process.use(patient))
    const said = process.output.lines().map(({ text }) => text)
    expect(said.join('\n')).toContain('my key is <redacted> and <redacted>')
  })
})

describe('a port that somebody else takes', () => {
  /** Listens on the port as soon as the stand-in asks, and says that all is well. */
  async function thief() {
    const taken: ReturnType<typeof Bun.serve>[] = []
    let leave = 1
    const door = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        const port = Number(new URL(request.url).searchParams.get('port'))
        if (leave-- > 0) taken.push(Bun.serve({ port, hostname: '127.0.0.1', fetch: () => new Response('well, of course') }))
        return new Response()
      },
    })
    return {
      url: `http://127.0.0.1:${door.port}/`,
      ports: () => taken.map(({ port }) => port),
      insist: () => {
        leave = 100
      },
      [Symbol.dispose]() {
        for (const server of [door, ...taken]) server.stop(true)
      },
    }
  }

  test('is noticed although it says that it is well, and another one is taken', async () => {
    using other = await thief()
    const { process, starts, log } = open({ askBeforeListening: other.url })
    const lease = await process.use(patient)
    expect(other.ports()).toHaveLength(1)
    expect(lease.port).not.toBe(other.ports()[0] as number)
    expect(await chat(lease.baseUrl, 'm')).toEqual({ status: 200, model: 'm' })
    expect(starts().map(({ port }) => port)).toEqual([other.ports()[0] as number, lease.port])
    expect(log.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'Another program has taken the port of a model process',
    ])
    lease.release()
  })

  test('again and again is a failed start', async () => {
    using other = await thief()
    other.insist()
    const { process, starts } = open({ askBeforeListening: other.url })
    expect((await errorOf(process.use(patient))).code).toBe('model_unavailable')
    expect(process.snapshot().failure?.message).toBe('its port was taken by another program, 3 times in a row')
    expect(starts()).toHaveLength(3)
  })

  test('is noticed when the server does not even try to listen there', async () => {
    const stranger = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('well') })
    const port = stranger.port as number
    const options = { choosePort: () => ({ port, release() {} }) }
    const strict = open({ listenDelayMs: 60_000 }, options)
    await errorOf(strict.process.use(patient))
    const trusting = open({ listenDelayMs: 60_000 }, options, {
      launch: () => ({ command: 'sleep', args: ['1000'], env: { PATH: '/usr/bin:/bin' }, healthPath: '/', listensElsewhere: true }),
    })
    ;(await trusting.process.use(patient)).release() // as for a container
    stranger.stop(true)
  })

  test('is released when the process is gone', async () => {
    const released: number[] = []
    const { process } = open(
      {},
      {
        choosePort: async () => {
          const { port } = await anyPort()
          return { port, release: () => void released.push(port) }
        },
      },
    )
    const { port, release } = await process.use(patient)
    release()
    expect(released).toEqual([])
    await process.unload()
    expect(released).toEqual([port])
  })
})

describe('a crash', () => {
  test('is seen at once, and it is started again by itself', async () => {
    const { process, starts } = open()
    const lease = await process.use(patient)
    const first = pidOf(process)
    globalThis.process.kill(first, 'SIGKILL')
    await until(() => process.state !== 'ready', 'not ready any more')
    expect(lease.gone.aborted).toBe(true)
    expect(lease.gone.reason).toMatchObject({ status: 502, code: 'bad_gateway' })
    await until(() => process.state === 'ready', 'ready again')
    expect(process.snapshot()).toMatchObject({ restarts: 1, exitCode: 137, inFlight: 0 })
    expect(pidOf(process)).not.toBe(first)
    expect(starts()).toHaveLength(2)
    lease.release() // of a life that is over
    expect(process.snapshot().inFlight).toBe(0)
  })

  test('can be told from another reason why a connection failed', async () => {
    const { process } = open()
    using lease = await process.use(patient)
    expect(await isLost(lease, 20)).toBe(false)
    const asked = isLost(lease, 5_000)
    globalThis.process.kill(pidOf(process), 'SIGKILL')
    expect([await asked, await isLost(lease, 0)]).toEqual([true, true])
  })

  test('is seen at once although a grandchild holds on', async () => {
    const { process, starts } = open({ grandchildren: ['deaf'] }, { times: () => ({ ...shortTimes, orphanGraceMs: 60_000 }) })
    const lease = await process.use(patient)
    globalThis.process.kill(pidOf(process), 'SIGKILL')
    await until(() => lease.gone.aborted, 'the news')
    const grandchild = starts()[0]?.grandchildren[0] as number
    expect(isAlive(grandchild)).toBe(true)
    globalThis.process.kill(grandchild, 'SIGKILL')
    lease.release()
  })

  test('in the middle of a request breaks it off, and the next one waits for the restart', async () => {
    const { process } = open({ crashAtRequest: 2 })
    using lease = await process.use(patient)
    expect(await chat(lease.baseUrl, 'm')).toEqual({ status: 200, model: 'm' })
    await expect(chat(lease.baseUrl, 'm')).rejects.toThrow()
    await until(() => lease.gone.aborted, 'the news')
    using next = await process.use(patient)
    expect(await chat(next.baseUrl, 'm')).toEqual({ status: 200, model: 'm' })
    expect(process.snapshot()).toMatchObject({ restarts: 1, exitCode: 134 })
  })

  test('that happens too often ends in a failure, with the reason, until the cooldown is over', async () => {
    const { process, starts } = open()
    ;(await process.use(patient)).release()
    for (let crash = 1; crash <= 4; crash++) {
      const pid = pidOf(process)
      globalThis.process.kill(pid, 'SIGKILL')
      await until(() => process.state === 'failed' || (process.state === 'ready' && pidOf(process) !== pid), 'what comes of it')
    }
    expect(process.state).toBe('failed')
    expect(process.snapshot()).toMatchObject({ restarts: 4, exitCode: 137 })
    expect(process.snapshot().failure?.message).toBe('it ended by itself (signal SIGKILL), too often lately')
    const error = await errorOf(process.use(patient))
    expect([error.status, error.code]).toEqual([503, 'model_unavailable'])
    await until(() => Date.now() >= (process.snapshot().failure?.retryAt ?? 0), 'the end of the cooldown')
    ;(await process.use(patient)).release()
    expect(process.state).toBe('ready')
    expect(starts()).toHaveLength(5)
  })

  test('that is one too many refuses those who wait for the next start, and nothing is started for them later', async () => {
    const times = { ...shortTimes, orphanGraceMs: 200, cooldownMs: 50, restarts: { ...shortTimes.restarts, most: 0 } }
    const { process, starts } = open({ grandchildren: ['deaf'] }, { times: () => times })
    const lease = await process.use(patient)
    globalThis.process.kill(pidOf(process), 'SIGKILL')
    await until(() => lease.gone.aborted, 'the news')
    expect(process.state).toBe('stopping') // until the grandchild is gone
    expect((await errorOf(process.use(patient))).code).toBe('model_unavailable')
    await Bun.sleep(200)
    expect([process.state, starts().length]).toEqual(['failed', 1])
    lease.release()
  })

  test('while it is being stopped is only the end of it', async () => {
    const { process } = open()
    const lease = await process.use(patient)
    const unloaded = process.unload()
    await until(() => process.state === 'stopping', 'stopping')
    globalThis.process.kill(pidOf(process), 'SIGKILL')
    await unloaded
    expect(process.snapshot()).toMatchObject({ state: 'stopped', restarts: 0, exitCode: 137 })
    lease.release()
  })

  test('can be unloaded while it waits to come back', async () => {
    const { process, starts } = open(
      {},
      { times: () => ({ ...shortTimes, restarts: { ...shortTimes.restarts, firstMs: 60_000, longestMs: 60_000 } }) },
    )
    ;(await process.use(patient)).release()
    globalThis.process.kill(pidOf(process), 'SIGKILL')
    await until(() => process.state === 'stopped', 'stopped')
    await process.unload()
    expect(process.snapshot()).toMatchObject({ state: 'stopped', queued: 0 })
    expect(starts()).toHaveLength(1)
  })
})

describe('health', () => {
  const often = { ...shortTimes, healthEveryMs: 30, healthTimeoutMs: 500 }

  test('of a server that hangs is noticed, and it is started again', async () => {
    const { process, starts } = open({ hang: 1 }, { times: () => often })
    const lease = await process.use(patient)
    const left = chat(lease.baseUrl, 'm', lease.gone).catch((error: unknown) => error)
    const pid = pidOf(process)
    expect(await left).toMatchObject({ status: 502, code: 'bad_gateway' })
    await until(() => process.state === 'ready' && pidOf(process) !== pid, 'another one')
    expect(process.snapshot().restarts).toBe(1)
    await gone([pid], 0)
    expect(starts()).toHaveLength(2)
    lease.release()
  })

  test('is looked after while it is waited for those who use it, too', async () => {
    const { process } = open({}, { times: () => often })
    const lease = await process.use(patient)
    const pid = pidOf(process)
    globalThis.process.kill(pid, 'SIGSTOP')
    await process.unload()
    expect([process.state, isAlive(pid)]).toEqual(['stopped', false])
    expect(lease.gone.reason).toMatchObject({ status: 502, code: 'bad_gateway' })
    lease.release()
  })

  test('that is missed once or twice is forgiven', async () => {
    const { process } = open({}, { times: () => ({ ...often, healthFailures: 1_000 }) })
    ;(await process.use(patient)).release()
    const pid = pidOf(process)
    globalThis.process.kill(pid, 'SIGSTOP')
    await Bun.sleep(400)
    globalThis.process.kill(pid, 'SIGCONT')
    await process.ensureReady(patient)
    expect(process.snapshot()).toMatchObject({ pid, restarts: 0, state: 'ready' })
  })
})

describe('unload', () => {
  test('waits for those who use it, and those who come meanwhile get the next one', async () => {
    const { process, starts } = open()
    const lease = await process.use(patient)
    const pid = pidOf(process)
    const unloaded = process.unload()
    await until(() => process.state === 'stopping', 'stopping')
    const next = process.use(patient)
    expect(await chat(lease.baseUrl, 'm')).toEqual({ status: 200, model: 'm' })
    expect([isAlive(pid), lease.gone.aborted]).toEqual([true, false])
    lease.release()
    await unloaded
    expect(isAlive(pid)).toBe(false)
    using second = await next
    expect(await chat(second.baseUrl, 'm')).toEqual({ status: 200, model: 'm' })
    expect(starts()).toHaveLength(2)
  })

  test('by force does not', async () => {
    const { process } = open({ deaf: true }, { times: () => ({ ...shortTimes, graceMs: 100 }) })
    const lease = await process.use(patient)
    const pid = pidOf(process)
    await process.unload({ force: true })
    expect([isAlive(pid), process.state, process.snapshot().exitCode]).toEqual([false, 'stopped', 137])
    expect(lease.gone.reason).toMatchObject({ status: 503, code: 'model_unavailable' })
    lease.release()
  })

  test('by force hurries one that waits', async () => {
    const { process } = open()
    const lease = await process.use(patient)
    const unloaded = process.unload()
    await until(() => process.state === 'stopping', 'stopping')
    await process.unload({ force: true })
    await unloaded
    expect(process.state).toBe('stopped')
    lease.release()
  })

  test('during a start waits for it, by force it breaks it off', async () => {
    const { process, starts } = open({ loadMs: 300 })
    const patience = process.use(patient)
    await until(() => starts().length === 1, 'the start')
    const unloaded = process.unload()
    ;(await patience).release()
    await unloaded
    expect(process.state).toBe('stopped')

    const broken = process.use(patient)
    broken.catch(() => undefined)
    await until(() => starts().length === 2, 'the second start')
    await process.unload({ force: true })
    expect((await errorOf(broken)).code).toBe('model_unavailable')
    expect(process.state).toBe('stopped')
    await gone(
      starts().map(({ pid }) => pid),
      0,
    )
  })

  test('of what does not run is nothing, and of what has failed lets it be tried again', async () => {
    const { process, stand } = open(
      { exitAtStart: 1 },
      { times: () => ({ ...shortTimes, restarts: { ...shortTimes.restarts, firstMs: 60_000, longestMs: 60_000 } }) },
    )
    await process.unload()
    expect(process.state).toBe('stopped')
    await errorOf(process.use(patient))
    await process.unload()
    expect(process.snapshot()).toMatchObject({ state: 'stopped', failure: undefined })
    stand.model('m')
    ;(await process.use(patient)).release()
    expect(process.state).toBe('ready')
  })

  test('of what waits for room lets it wait on; by force it is called off', async () => {
    const full = Promise.withResolvers<void>()
    const room = { take: ({ signal, granted }: RoomRequest) => Promise.race([full.promise.then(granted), rejected(signal)]) }
    const { process, starts } = open({}, { room })
    const waits = process.use(patient)
    await process.unload()
    expect(process.snapshot().queued).toBe(1)
    const refused = process.unload({ force: true })
    expect((await errorOf(waits)).code).toBe('model_unavailable')
    await refused
    const next = process.use(patient)
    full.resolve()
    ;(await next).release()
    expect(starts()).toHaveLength(1)
  })

  test('comes by itself when nobody has used it for long enough', async () => {
    const { process, starts } = open({}, {}, { ttlMs: 150 })
    const lease = await process.use(patient)
    await Bun.sleep(400)
    expect(process.state).toBe('ready') // it is being used
    lease.release()
    await until(() => process.state === 'stopped', 'stopped')
    ;(await process.use(patient)).release()
    expect(starts()).toHaveLength(2)
  })
})

describe('a change of the config', () => {
  test('while it waits for room counts for that start, which is not stopped again', async () => {
    const full = Promise.withResolvers<void>()
    const { process, starts, stand } = open({ exitAtStart: 1 }, { room: { take: ({ granted }) => full.promise.then(granted) } })
    const waits = process.use(patient)
    process.update(specOf(stand, 'm', {}, { print: '2' }))
    full.resolve()
    ;(await waits).release()
    await process.ensureReady(patient)
    expect([process.state, starts().length]).toEqual(['ready', 1])
  })

  test('that takes it out refuses who waits, and lets who uses it finish', async () => {
    const { process } = open()
    const lease = await process.use(patient)
    const retired = process.retire()
    const late = process.use(patient)
    expect(await chat(lease.baseUrl, 'm')).toEqual({ status: 200, model: 'm' })
    lease.release()
    await retired
    ;(await late).release()

    const loading = open({ loadMs: 60_000 })
    const waits = loading.process.use(patient)
    await until(() => loading.starts().length === 1, 'the start')
    const gone = loading.process.retire()
    expect((await errorOf(waits)).code).toBe('model_not_found')
    await gone
    expect(loading.process.state).toBe('stopped')
  })

  test('that is none for it changes nothing', async () => {
    const { process, stand } = open()
    ;(await process.use(patient)).release()
    const pid = pidOf(process)
    process.update(specOf(stand, 'm'))
    ;(await process.use(patient)).release()
    expect(pidOf(process)).toBe(pid)
  })

  test('replaces it as soon as nobody uses it', async () => {
    const { process, starts, stand } = open()
    const lease = await process.use(patient)
    process.update(specOf(stand, 'm', { loadMs: 10 }, { print: '2' }))
    const next = process.use(patient)
    await until(() => process.state === 'stopping', 'stopping')
    expect(await chat(lease.baseUrl, 'm')).toEqual({ status: 200, model: 'm' })
    lease.release()
    ;(await next).release()
    expect(starts()).toHaveLength(2)
  })

  test('during a start begins it anew, and the callers do not notice', async () => {
    const { process, starts, stand } = open({ loadMs: 60_000 })
    const lease = process.use(patient)
    await until(() => starts().length === 1, 'the start')
    process.update(specOf(stand, 'm', {}, { print: '2' }))
    ;(await lease).release()
    expect(starts()).toHaveLength(2)
    expect(starts().flatMap(({ besides }) => besides)).toEqual([])
  })
})

test('close ends it for good, and everybody hears of it', async () => {
  const { process, starts } = open({ loadMs: 300 })
  const waiting = process.use(patient)
  waiting.catch(() => undefined)
  await until(() => starts().length === 1, 'the start')
  await process.close(1_000)
  expect((await errorOf(waiting)).code).toBe('stopping')
  expect((await errorOf(process.use(patient))).code).toBe('stopping')
  await gone(
    starts().map(({ pid }) => pid),
    0,
  )
})

test('what it writes is kept over all of its lives', async () => {
  const { process } = open()
  ;(await process.use(patient)).release()
  const heard: string[] = []
  const deaf = process.output.listen(({ text }) => heard.push(text))
  await process.unload()
  ;(await process.use(patient)).release()
  deaf()
  const own = process.output.lines().flatMap(({ from, text }) => (from === 'gatehouse' ? [text.replace(/\d+/g, 'N')] : []))
  expect(own).toEqual(['process N started on port N', 'stopped', 'process N started on port N'])
  expect(heard).toContain('stopped')
  expect(process.output.lines().filter(({ text }) => text === 'main: model loaded').length).toBeGreaterThan(0)
})

test('how long it will take is learned', async () => {
  const { process } = open({ loadMs: 1_000 })
  const first = process.use(patient)
  await until(() => process.state === 'starting', 'starting')
  expect(process.snapshot().etaMs).toBeUndefined()
  ;(await first).release()
  await process.unload()
  const second = process.use(patient)
  await until(() => process.state === 'starting', 'starting')
  expect(process.snapshot().etaMs).toBeGreaterThan(200)
  ;(await second).release()
  expect(process.snapshot().etaMs).toBeUndefined()
})
