import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GatewayError } from './errors.ts'
import { type AccessLine, createLog, type HouseLog, type LogOptions } from './log.ts'

let folder: string
let console: string // what stands in for stdout
let fd: number
let logs: HouseLog[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-log-'))
  console = join(folder, 'stdout')
  fd = openSync(console, 'a')
  logs = []
})
afterEach(() => {
  for (const log of logs) log.abandon()
  closeSync(fd)
  rmSync(folder, { recursive: true })
})

const open = (options: Partial<LogOptions> = {}) => {
  const log = createLog({ debug: false, fd, ...options })
  logs.push(log)
  return log
}
const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')
const linesOf = (path: string): Record<string, unknown>[] =>
  textOf(path)
    .split('\n')
    .slice(0, -1)
    .filter(Boolean)
    .map(line => JSON.parse(line))
const modeOf = (path: string) => statSync(path).mode & 0o777
const until = async (check: () => boolean, what: string) => {
  for (const deadline = Date.now() + 5000; !check(); await Bun.sleep(5)) if (Date.now() > deadline) throw new Error(`never came: ${what}`)
}

const request: AccessLine = {
  request_id: 't-1',
  method: 'POST',
  path: '/v1/chat/completions',
  status: 200,
  latency: 1234.5,
  latency_ms: 1234.5,
  ip: '127.0.0.1',
  model: 'qwen3:8b',
  key_id: 'api-key',
}

describe('JSON lines', () => {
  test('have a level, an ISO time and a message; those of requests have the fields of LlamaGate', async () => {
    const log = open()
    log.info({ port: 11435 }, 'Starting gatehouse')
    log.access(request)
    await log.end()
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(linesOf(console)).toEqual([
      { level: 'info', time, port: 11435, message: 'Starting gatehouse' },
      { level: 'info', time, ...request, message: 'HTTP request' },
    ])
  })

  test('debug lines appear with debug alone, and at once when it is turned on', async () => {
    const log = open()
    log.debug('before')
    await log.configure({ debug: true })
    log.debug('between')
    log.child({ request_id: 'r' }).debug('of a child')
    await log.configure({ debug: false })
    log.debug('after')
    await log.end()
    expect(linesOf(console).map(({ message }) => message)).toEqual(['between', 'of a child'])
  })

  test('what strangers write stays one line, and nothing in it acts on a terminal', async () => {
    const log = open()
    const evil = 'a\u001b[2J\nb\u009b31m\u202e\u2028c'
    log.access({ ...request, model: evil })
    log.warn({ evil }, evil)
    await log.end()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left
    expect(textOf(console)).not.toMatch(/[\u001b\u009b\u202e\u2028]/)
    expect(linesOf(console)).toMatchObject([{ model: evil }, { evil, message: evil }])
  })

  test('names of models and paths are cut', async () => {
    const log = open()
    log.access({ ...request, path: `/${'p'.repeat(20_000)}`, model: `${'prompt '.repeat(1000)}SECRET` })
    await log.end()
    const [{ path, model } = {}] = linesOf(console) as { path: string; model: string }[]
    expect(path?.length).toBe(1001)
    expect(model?.length).toBe(201)
  })
})

describe('errors', () => {
  test('are told by what they are and where, not by words that may quote a prompt', async () => {
    const log = open()
    const cause = Object.assign(new Error('SECRET in the cause\n    at SECRET (line:1:1)'), {
      code: 'ECONNRESET',
      config: { key: 'SECRET' },
    })
    const error = new TypeError('cannot read "SECRET"\n    at SECRET (line:1:1)', { cause })
    log.error({ err: error }, 'request failed')
    log.error(error)
    log.error({ err: error })
    log.error({ error }, 'another name')
    log.error({ err: new GatewayError(502, 'server_error', 'bad_gateway', 'SECRET', { cause }) }, 'ours')
    log.error({ err: 'SECRET' }, 'no error at all')
    await log.end()
    expect(textOf(console)).not.toContain('SECRET')
    const lines = linesOf(console) as { err?: Record<string, unknown>; message: string }[]
    expect(lines[0]).toMatchObject({
      message: 'request failed',
      err: { type: 'TypeError', stack: expect.stringContaining('log.test.ts:'), cause: { type: 'Error', code: 'ECONNRESET' } },
    })
    expect(lines[1]).toMatchObject({ message: 'an error was logged', err: { type: 'TypeError' } })
    expect(lines[2]).toMatchObject({ message: 'an error was logged', err: { type: 'TypeError' } })
    expect(lines[4]).toMatchObject({ err: { type: 'GatewayError', status: 502, cause: { code: 'ECONNRESET' } } })
    expect(lines[5]).toMatchObject({ err: { type: 'string' } })
  })

  test('in the program itself keep their words', async () => {
    const log = open()
    const thing = {} as { missing: () => void }
    const wrong = [
      () => (undefined as unknown as { field: string }).field,
      () => (null as unknown as { field: () => void }).field(),
      () => thing.missing(),
    ]
    for (const run of wrong) {
      try {
        run()
      } catch (err) {
        log.error({ err }, 'request failed')
      }
    }
    await log.end()
    const [first, second, third] = linesOf(console) as { err: { message: string } }[]
    expect(first?.err.message).toStartWith('undefined is not an object')
    expect(second?.err.message).toStartWith('null is not an object')
    expect(third?.err.message).toBe('thing.missing is not a function')
  })

  test('may be their own cause', async () => {
    const log = open()
    const error = new Error('round')
    error.cause = error
    log.error({ err: error }, 'request failed')
    await log.end()
    expect(linesOf(console)).toHaveLength(1)
  })
})

describe('secrets of the config', () => {
  test('stand in no line, whoever writes it, and a line stays JSON', async () => {
    const secrets = ['sk-house-0001', 'with "quotes" \\', '1234567', 'message']
    const log = open({ secrets })
    log.access({ ...request, path: '/v1/sk-house-0001', latency: 1234567 })
    log.warn({ headers: { deep: ['Bearer sk-house-0001'] }, odd: 'with "quotes" \\' }, 'a message with sk-house-0001')
    await log.end()
    expect(textOf(console)).not.toContain('sk-house-0001')
    expect(textOf(console)).not.toContain('quotes')
    expect(linesOf(console)).toMatchObject([
      { path: '/v1/<redacted>', latency: 1234567, message: 'HTTP request' },
      { headers: { deep: ['Bearer <redacted>'] }, odd: '<redacted>', message: 'a <redacted> with <redacted>' },
    ])
  })

  test('stand in no line either when the line is cut in the middle of one', async () => {
    const log = open({ secrets: ['sk-house-0001'] })
    log.access({ ...request, model: `${'m'.repeat(195)}sk-house-0001`, path: `/${'p'.repeat(990)}sk-house-0001` })
    await log.end()
    expect(textOf(console)).not.toContain('sk-')
  })

  test('stand in the line of a request in no spelling, and neither do keys that nobody knows', async () => {
    const log = open({ secrets: ['SECRETkey0'] })
    log.access({ ...request, path: '/v1/models/SECRETkey%30', model: 'SECRETkey%30' })
    log.access({
      ...request,
      path: '/v1/models/sk-fake0000000000000000',
      request_id: 'ghp_fakeFAKEfakeFAKE0000',
      model: 'sk-fake-0000000000000',
    })
    log.child({ request_id: 'ghp_fakeFAKEfakeFAKE0000' }).warn({ model: 'sk-fake-0000000000000' }, 'backend failed')
    log.access({ ...request, path: '/v1/models/hf.co%2Forg%2Fmodel' })
    await log.end()
    expect(linesOf(console)).toMatchObject([
      { path: '/v1/models/<redacted>', model: '<redacted>', status: 200 },
      { path: '/v1/models/<redacted>', model: '<redacted>', request_id: '<redacted>' },
      { model: '<redacted>', request_id: '<redacted>', message: 'backend failed' },
      { path: '/v1/models/hf.co%2Forg%2Fmodel', model: 'qwen3:8b', request_id: 't-1' },
    ])
  })

  test('change with the config', async () => {
    const log = open({ secrets: ['first-secret'] })
    log.info('first-secret second-secret')
    await log.configure({ debug: false, secrets: ['second-secret'] })
    log.info('first-secret second-secret')
    await log.end()
    expect(linesOf(console).map(({ message }) => message)).toEqual(['<redacted> second-secret', 'first-secret <redacted>'])
  })
})

describe('for people', () => {
  const shown = async (write: (log: HouseLog) => void, options: Partial<LogOptions> = {}) => {
    const log = open({ debug: true, format: 'text', ...options })
    write(log)
    await log.end()
    return textOf(console)
  }

  test('a request is one compact line', async () => {
    const text = await shown(log => {
      log.access(request)
      log.access({ request_id: 't-2', method: 'GET', path: '/nope', status: 404, latency: 0.42, latency_ms: 0.42, ip: '::1' })
      log.access({ ...request, latency: 312.4 })
      log.access({ ...request, latency: 187_000 })
    })
    expect(text.replace(/^\d\d:\d\d:\d\d\.\d{3}/gm, 'TIME').split('\n')).toEqual([
      'TIME POST /v1/chat/completions 200 1.2s qwen3:8b key=api-key 127.0.0.1 id=t-1',
      'TIME GET /nope 404 0.4ms ::1 id=t-2',
      'TIME POST /v1/chat/completions 200 312ms qwen3:8b key=api-key 127.0.0.1 id=t-1',
      'TIME POST /v1/chat/completions 200 3m07s qwen3:8b key=api-key 127.0.0.1 id=t-1',
      '',
    ])
  })

  test('other lines have their level, message and fields; the time is local', async () => {
    const before = new Date()
    const text = await shown(log => {
      log.info({ port: 11435, config: '/etc/my gate.yaml' }, 'Starting gatehouse')
      log.debug({ decision: { plugin: 'router' } }, 'decision')
    })
    expect(text.replace(/^\d\d:\d\d:\d\d\.\d{3}/gm, 'TIME').split('\n')).toEqual([
      'TIME info  Starting gatehouse port=11435 config="/etc/my gate.yaml"',
      'TIME debug decision decision={"plugin":"router"}',
      '',
    ])
    const [hours, minutes, seconds] = text.split(':').map(Number.parseFloat) as [number, number, number]
    const told = new Date(before).setHours(hours, minutes, seconds, 0)
    expect(Math.abs(told - before.getTime()) % 86_400_000).toBeLessThan(60_000)
  })

  test('an error is on the line, its stack indented below', async () => {
    const text = await shown(log =>
      log.error({ err: new RangeError('SECRET', { cause: new Error('SECRET') }), request_id: 'r' }, 'request failed'),
    )
    const [head, frame] = text.split('\n') as [string, string]
    expect(head).toEndWith('error request failed request_id=r err=RangeError')
    expect(frame).toStartWith('    at ')
    expect(text).toContain('\n    caused by err=Error\n')
    expect(text).not.toContain('SECRET')
  })

  test('nothing in a value breaks the line, acts on the terminal, or looks like another field', async () => {
    const text = await shown(
      log => {
        log.access({ ...request, model: 'x\n12:00:00.000 GET / 200 \u001b[2J\u009b0m\u202e' })
        log.access({ ...request, model: 'x key=admin 10.0.0.1' })
        log.info({ value: 'line\r\nline\u001b]0;title\u0007', 'a\nkey': 1 }, 'message\nwith \u001b[31mcolour')
      },
      { colours: false },
    )
    expect(text.split('\n')).toHaveLength(4)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/)
    expect(text).toContain('\\u001b')
    expect(text).toContain(' "x key=admin 10.0.0.1" key=api-key ')
  })

  test('colours mark what went wrong, where there are colours', async () => {
    const text = await shown(
      log => {
        log.access({ ...request, status: 502 })
        log.access({ ...request, status: 404 })
        log.warn('careful')
      },
      { colours: true },
    )
    expect(text).toContain('\u001b[31m502\u001b[0m')
    expect(text).toContain('\u001b[33m404\u001b[0m')
    expect(text).toContain('\u001b[33mwarn ')
  })

  test('a file that is no terminal gets JSON unless it is told otherwise, and never colours by itself', async () => {
    const log = open({ format: 'auto' })
    log.info('as JSON')
    await log.configure({ debug: false, format: 'text' })
    log.warn('as text')
    await log.configure({ debug: false })
    log.info('as JSON again')
    await log.end()
    const lines = textOf(console).trim().split('\n')
    expect(lines.map(line => line[0])).toEqual(['{', expect.stringMatching(/\d/), '{'])
    expect(textOf(console)).not.toContain('\u001b')
  })
})

describe('a log file', () => {
  test('gets every line as JSON, beside stdout, and is for its owner alone', async () => {
    const file = join(folder, 'logs', 'gatehouse.log')
    const log = open({ file, format: 'text' })
    log.info('one')
    log.access(request)
    await log.end()
    expect(linesOf(file)).toMatchObject([{ message: 'one' }, { message: 'HTTP request' }])
    expect(textOf(console).trim().split('\n')).toHaveLength(2)
    expect(modeOf(file)).toBe(0o600)
    expect(modeOf(join(folder, 'logs'))).toBe(0o700)
  })

  test('is appended to; a line that a crash cut is not glued to the first new one', async () => {
    const file = join(folder, 'x.log')
    for (const message of ['one', 'two']) {
      const log = open({ file })
      log.info(message)
      await log.end()
    }
    expect(linesOf(file).map(({ message }) => message)).toEqual(['one', 'two'])
    writeFileSync(file, '{"message":"cut', { flag: 'a' })
    const log = open({ file })
    log.info('three')
    await log.end()
    const lines = textOf(file).split('\n')
    expect(lines[2]).toBe('{"message":"cut')
    expect(JSON.parse(lines[3] as string)).toMatchObject({ message: 'three' })
  })

  test.each([
    [0o644, 0o600],
    [0o666, 0o600],
    [0o640, 0o640],
    [0o600, 0o600],
  ])('that has mode %o has %o then: the world is shut out, a group may stay', async (before, after) => {
    const file = join(folder, 'x.log')
    writeFileSync(file, '')
    chmodSync(file, before)
    const log = open({ file })
    log.info('one')
    await log.end()
    expect(modeOf(file)).toBe(after)
  })

  test.each([
    ['in a folder that is nowhere', 'a/b/c.log', 'ENOENT'],
    ['that is a folder', '.', 'EISDIR'],
    ['below a file', 'stdout/x.log', 'ENOTDIR'],
  ])('%s is a warning, and the log goes on', async (_, path, code) => {
    const file = join(folder, path)
    const log = open({ file })
    await until(() => textOf(console).includes('cannot be opened'), 'the warning')
    log.info('still here')
    expect(await log.reopen().catch(({ code }) => code)).toBe(code)
    await log.end()
    expect(linesOf(console)).toMatchObject([
      { level: 'warn', file, code, message: expect.stringContaining('lines go to stdout alone') },
      { message: 'still here' },
    ])
  })

  test('that could not be opened is, once it can be', async () => {
    const file = join(folder, 'later', 'logs', 'x.log')
    const log = open({ file })
    await until(() => textOf(console).includes('cannot be opened'), 'the warning')
    await Bun.write(join(folder, 'later', 'there'), '')
    expect(await log.reopen()).toBe(true)
    log.info('now')
    await log.end()
    expect(linesOf(file)).toMatchObject([{ message: 'now' }])
  })

  test('that is a pipe nobody reads is a warning too', async () => {
    const file = join(folder, 'pipe')
    expect(await Bun.spawn(['mkfifo', file]).exited).toBe(0)
    const log = open({ file })
    await until(() => textOf(console).includes('"code":"ENXIO"'), 'the warning')
    await log.end()
  })

  test('moved away and reopened: nothing is lost, and the new one is for its owner alone', async () => {
    const file = join(folder, 'x.log')
    const log = open({ file })
    const writing = (async () => {
      for (let i = 0; i < 20_000; i++) {
        log.info({ i }, 'line')
        if (i % 50 === 0) await new Promise(resolve => setImmediate(resolve))
      }
    })()
    for (let i = 1; i <= 4; i++) {
      await until(() => textOf(file).length > 10_000, `file ${i}`)
      renameSync(file, `${file}.${i}`)
      expect(await log.reopen()).toBe(true)
      expect(modeOf(file)).toBe(0o600)
    }
    await writing
    await log.end()
    const numbers = [1, 2, 3, 4]
      .flatMap(i => linesOf(`${file}.${i}`))
      .concat(linesOf(file))
      .map(({ i }) => i)
    expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, i) => i))
  })

  test('reopened without one to open, nothing happens', async () => {
    expect(await open().reopen()).toBe(false)
  })

  test('changes with the config without losing a line: another one, none, one again', async () => {
    const [first, second] = [join(folder, '1.log'), join(folder, '2.log')]
    const log = open({ file: first })
    const files = [first, second, undefined, second]
    let number = 0
    for (const file of files) {
      const done = log.configure({ debug: false, file })
      for (let i = 0; i < 100; i++) log.info({ number: number++ }, 'line')
      await done
    }
    await log.end()
    const inFiles = [...linesOf(first), ...linesOf(second)].map(({ number }) => number as number)
    expect(linesOf(console).map(({ number }) => number)).toEqual(Array.from({ length: 400 }, (_, i) => i))
    // those written while there was to be none may have reached the one before
    for (const wanted of [...Array(200).keys(), ...Array.from({ length: 100 }, (_, i) => 300 + i)]) expect(inFiles).toContain(wanted)
    expect(new Set(inFiles).size).toBe(inFiles.length)
  })

  test('that cannot be opened after a change leaves the one before in place', async () => {
    const file = join(folder, 'x.log')
    const log = open({ file })
    await log.configure({ debug: false, file: join(folder, 'a', 'b', 'c.log') })
    log.info('still there')
    await log.end()
    expect(linesOf(file)).toMatchObject([
      { level: 'warn', message: expect.stringContaining('lines go to the one before') },
      { message: 'still there' },
    ])
  })

  test('on a full disk holds up nothing; what was lost is told, and another file gets what waits', async () => {
    const log = open({ file: '/dev/full', tellMs: 20 })
    const text = 'x'.repeat(10_000)
    for (let i = 0; i < 1000; i++) {
      log.info({ i, text }, 'line')
      // stdout is taken, the full disk is not
      if (i % 50 === 0) await until(() => linesOf(console).length >= i - 50, 'lines on stdout')
    }
    const told = () => linesOf(console).filter(({ message }) => String(message).includes('dropped')) as { to: string; lines: number }[]
    const lost = () => told().reduce((sum, { lines }) => sum + lines, 0)
    await until(() => linesOf(console).filter(({ message }) => message === 'line').length === 1000, 'all lines on stdout')
    const [one = ''] = textOf(console).split('\n')
    // the rest of 8 Mi characters, lines of the same length, cannot wait
    await until(() => 1000 - lost() <= Math.ceil((8 * 1024 * 1024) / one.length), 'what was lost')
    await until(() => textOf(console).includes('ENOSPC'), 'why')
    expect(new Set(told().map(({ to }) => to))).toEqual(new Set(['file']))
    const file = join(folder, 'x.log')
    await log.configure({ debug: false, file })
    await log.end()
    const kept = linesOf(file).filter(({ message }) => message === 'line')
    expect(kept.length).toBe(1000 - lost())
    expect(linesOf(console).filter(({ message }) => message === 'line')).toHaveLength(1000)
  })
})

describe('the end', () => {
  test('on a full disk takes no longer than it is worth', async () => {
    const full = openSync('/dev/full', 'a')
    const log = open({ fd: full, file: '/dev/full' })
    log.info('never written')
    const before = performance.now()
    await log.end()
    expect(performance.now() - before).toBeLessThan(3000)
    log.info('after the end') // nobody hears it, and nothing breaks
    closeSync(full)
  })

  test('writes all that waits', async () => {
    const file = join(folder, 'x.log')
    const log = open({ file })
    for (let i = 0; i < 5000; i++) log.info({ i }, 'line')
    await log.end()
    expect(linesOf(console)).toHaveLength(5000)
    expect(linesOf(file)).toHaveLength(5000)
  })

  test('a process that leaves without it still has its lines written', async () => {
    const script = `
      import { createLog } from ${JSON.stringify(join(import.meta.dir, 'log.ts'))}
      const log = createLog({ debug: false })
      log.warn('last words')
      process.exit(3)`
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
    expect(JSON.parse(await child.stdout.text())).toMatchObject({ message: 'last words' })
    expect(await child.exited).toBe(3)
  })
})
