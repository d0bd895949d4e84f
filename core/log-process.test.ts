import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GatehouseProcess, gatehouseCommand, startGatehouse } from './testing/gatehouse-process.ts'

setDefaultTimeout(30_000) // each starts a process, perhaps on a busy machine

const echo = { 'gatehouse.yaml': 'backends: { demo: { type: echo } }' }
const messages = [{ role: 'user', content: 'one two three' }]

const chat = async ({ url }: GatehouseProcess, id: string, body: object = { model: 'echo' }) => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-request-id': id },
    body: JSON.stringify({ messages, ...body }),
  })
  await response.text()
  return response
}

type Line = Readonly<Record<string, unknown>>
const parse = (text: string): Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))
const linesOf = (gatehouse: GatehouseProcess) => parse(gatehouse.output.stdout)
const logged = (gatehouse: GatehouseProcess, id: string) =>
  gatehouse.until(() => linesOf(gatehouse).some(line => line.request_id === id && line.message === 'HTTP request'), `the line of ${id}`)
const inFile = async (path: string, wanted: string) => {
  for (const deadline = Date.now() + 10_000; ; await Bun.sleep(10)) {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    if (text.includes(wanted) && text.endsWith('\n')) return parse(text)
    if (Date.now() > deadline) throw new Error(`never in ${path}: ${wanted}`)
  }
}
const end = async (gatehouse: GatehouseProcess) => {
  gatehouse.signal('SIGTERM')
  expect(await gatehouse.exited).toBe(0)
}

test('the line of a request has the fields LlamaGate had, and no query', async () => {
  await using gatehouse = await startGatehouse({ files: echo })
  await chat(gatehouse, 't-1')
  await fetch(`${gatehouse.url}/nope?api_key=secret`, { headers: { 'x-request-id': 't-2' } })
  await logged(gatehouse, 't-2')
  const [first, second] = linesOf(gatehouse).filter(({ message }) => message === 'HTTP request') as [Line, Line]
  expect(first).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    request_id: 't-1',
    method: 'POST',
    path: '/v1/chat/completions',
    status: 200,
    latency: expect.any(Number),
    latency_ms: expect.any(Number),
    ip: '127.0.0.1',
    model: 'echo',
    key_id: 'open',
    message: 'HTTP request',
  })
  expect(first.latency).toBe(first.latency_ms as number)
  expect(second).toMatchObject({ request_id: 't-2', method: 'GET', path: '/nope', status: 404 })
})

test('every line of a request carries its id', async () => {
  const plugin = `
    import { definePlugin } from 'gatehouse'
    export default definePlugin({
      name: 'talker',
      setup: () => ({
        handle(ctx, next) {
          ctx.log.info('a plugin says something')
          ctx.onSettled(() => { throw new Error('late') })
          if (ctx.payload.model === 'crash') throw new Error('early')
          return next()
        },
      }),
    })`
  const yaml = `
backends: { dead: { type: openai-compatible, base_url: 'http://127.0.0.1:1' }, demo: { type: echo } }
models: [{ name: both, targets: [{ backend: dead }, { backend: demo, model: echo }] }]
pipeline: [auth, limiter, ./talker.ts, router]
router: { retries: 0 }`
  await using gatehouse = await startGatehouse({ env: { DEBUG: 'true' }, files: { 'gatehouse.yaml': yaml, 'talker.ts': plugin } })
  await gatehouse.until(({ stdout }) => stdout.includes('authentication disabled'), 'the lines of the start')
  const before = linesOf(gatehouse).length
  expect((await chat(gatehouse, 't-1', { model: 'both' })).status).toBe(200)
  expect((await chat(gatehouse, 't-1', { model: 'both', stream: true })).status).toBe(200)
  expect((await chat(gatehouse, 't-1', { model: 'crash' })).status).toBe(500)
  await chat(gatehouse, 't-1', { model: 'echo', messages: 'none' })
  await fetch(`${gatehouse.url}/nope`, { headers: { 'x-request-id': 't-1' } })
  await chat(gatehouse, 't-2')
  await logged(gatehouse, 't-2')
  const lines = linesOf(gatehouse).slice(before)
  const said = new Set(lines.map(({ message }) => message))
  for (const message of [
    'a plugin says something',
    'backend failed',
    'decision',
    'request failed',
    'settled listener failed',
    'HTTP request',
  ]) {
    expect(said).toContain(message)
  }
  // those about a backend, which many requests share, are nobody's
  const house = ['could not list models']
  expect(lines.filter(({ request_id, message }) => !/^t-[12]$/.test(String(request_id)) && !house.includes(String(message)))).toEqual([])
})

test('the lines LlamaGate’s users look for are there', async () => {
  await using gatehouse = await startGatehouse({ files: echo, env: { DEBUG: 'true', API_KEY: 'some-key-0000' } })
  const headers = { 'x-api-key': 'some-key-0000', 'x-request-id': 't-1' }
  const ask = async (path: string, body?: object) =>
    (await fetch(gatehouse.url + path, { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) })).text()
  await ask('/v1/chat/completions', { model: 'echo', messages })
  await ask('/v1/chat/completions', { model: 'echo', messages, stream: true })
  await ask('/v1/models')
  await fetch(`${gatehouse.url}/v1/models`, { headers: { 'x-request-id': 't-1' } })
  await end(gatehouse)
  const said = linesOf(gatehouse).map(({ message, request_id }) => [message, request_id])
  for (const expected of [
    ['Starting gatehouse', undefined],
    ['API key authentication enabled', undefined],
    ['Request completed', 't-1'],
    ['Streaming response completed', 't-1'],
    ['Models list retrieved', 't-1'],
    ['Authentication failed', 't-1'],
    ['Shutting down server...', undefined],
    ['All in-flight requests completed', undefined],
    ['Server exited gracefully', undefined],
  ]) {
    expect(said).toContainEqual(expected)
  }
})

test.each([
  ['true', true],
  ['false', false],
])('DEBUG=%s: debug lines appear is %p', async (DEBUG, appear) => {
  const yaml = `
backends: { dead: { type: openai-compatible, base_url: 'http://127.0.0.1:1' }, demo: { type: echo } }
models: [{ name: both, targets: [{ backend: dead }, { backend: demo, model: echo }] }]
router: { retries: 0 }`
  await using gatehouse = await startGatehouse({ env: { DEBUG }, files: { 'gatehouse.yaml': yaml } })
  await chat(gatehouse, 't-1', { model: 'both' })
  await logged(gatehouse, 't-1')
  expect(linesOf(gatehouse).some(({ level }) => level === 'debug')).toBe(appear)
})

describe('LOG_FILE', () => {
  test('gets the same JSON lines as stdout, for its owner alone, and is appended to at the next start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-log-'))
    const file = join(folder, 'x.log')
    const outputs: string[] = []
    for (const id of ['t-1', 't-2']) {
      await using gatehouse = await startGatehouse({ files: echo, env: { LOG_FILE: file } })
      await chat(gatehouse, id)
      await end(gatehouse)
      outputs.push(gatehouse.output.stdout)
    }
    expect(readFileSync(file, 'utf8')).toBe(outputs.join(''))
    expect(parse(outputs.join('')).filter(({ message }) => message === 'Starting gatehouse')).toHaveLength(2)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    rmSync(folder, { recursive: true })
  })

  test('counts from the working directory', async () => {
    await using gatehouse = await startGatehouse({ files: echo, env: { LOG_FILE: 'x.log' } })
    await chat(gatehouse, 't-1')
    expect(await inFile(join(gatehouse.folder, 'x.log'), 't-1')).not.toEqual([])
  })

  test('that cannot be opened is a warning, and gatehouse runs', async () => {
    await using gatehouse = await startGatehouse({ files: echo, env: { LOG_FILE: 'a/b/x.log' } })
    await gatehouse.until(({ stdout }) => stdout.includes('the log file cannot be opened'), 'the warning')
    expect((await chat(gatehouse, 't-1')).status).toBe(200)
    await end(gatehouse)
  })

  test('on a full disk stops neither the answers nor the stop', async () => {
    await using gatehouse = await startGatehouse({ files: echo, env: { LOG_FILE: '/dev/full' } })
    for (let i = 0; i < 20; i++) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${gatehouse.url}/health/live`)))
      expect(answers.every(({ ok }) => ok)).toBe(true)
    }
    expect((await chat(gatehouse, 't-1')).status).toBe(200)
    await end(gatehouse)
  })

  test('moved away is opened anew on SIGHUP, and no line is lost', async () => {
    await using gatehouse = await startGatehouse({ files: echo, env: { LOG_FILE: 'x.log' } })
    const file = join(gatehouse.folder, 'x.log')
    await chat(gatehouse, 't-1')
    await inFile(file, 't-1')
    renameSync(file, `${file}.1`)
    gatehouse.signal('SIGHUP')
    for (let i = 0; !existsSync(file) && i < 1000; i++) await Bun.sleep(10)
    await chat(gatehouse, 't-2')
    await end(gatehouse)
    expect(readFileSync(`${file}.1`, 'utf8') + readFileSync(file, 'utf8')).toBe(gatehouse.output.stdout)
    expect(await inFile(file, 't-2')).not.toEqual([])
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })
})

describe('POST /admin/logs/reopen', () => {
  const admin = { ADMIN_API_KEY: 'admin-key-0000', API_KEY: 'some-key-0000' }
  const reopen = async ({ url }: GatehouseProcess, key?: string) => {
    const response = await fetch(`${url}/admin/logs/reopen`, { method: 'POST', headers: key ? { 'x-api-key': key } : {} })
    return { status: response.status, body: await response.json() }
  }

  test('opens the file anew, for the admin key alone', async () => {
    await using gatehouse = await startGatehouse({ files: echo, env: { ...admin, LOG_FILE: 'x.log' } })
    const file = join(gatehouse.folder, 'x.log')
    await inFile(file, 'Starting gatehouse')
    expect(await reopen(gatehouse)).toMatchObject({ status: 401 })
    expect(await reopen(gatehouse, 'some-key-0000')).toMatchObject({ status: 403 })
    renameSync(file, `${file}.1`)
    expect(await reopen(gatehouse, 'admin-key-0000')).toEqual({ status: 200, body: { reopened: true } })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await end(gatehouse)
    expect(readFileSync(`${file}.1`, 'utf8') + readFileSync(file, 'utf8')).toBe(gatehouse.output.stdout)
  })

  test('without a file says so', async () => {
    await using gatehouse = await startGatehouse({ files: echo, env: admin })
    expect(await reopen(gatehouse, 'admin-key-0000')).toEqual({ status: 200, body: { reopened: false } })
  })

  test('a file that cannot be opened is a 500 that says why, and the old one stays', async () => {
    await using gatehouse = await startGatehouse({ files: { ...echo, 'logs/here': '' }, env: { ...admin, LOG_FILE: 'logs/x.log' } })
    const folder = join(gatehouse.folder, 'logs')
    await inFile(join(folder, 'x.log'), 'Starting gatehouse')
    renameSync(folder, `${folder}.1`)
    writeFileSync(folder, 'a file where the folder was')
    expect(await reopen(gatehouse, 'admin-key-0000')).toMatchObject({
      status: 500,
      body: { error: { code: 'log_not_reopened', message: 'The log file cannot be opened (ENOTDIR).' } },
    })
    await end(gatehouse)
    expect(readFileSync(join(`${folder}.1`, 'x.log'), 'utf8')).toBe(gatehouse.output.stdout)
  })
})

describe('on a terminal', () => {
  /** What a person sees who starts gatehouse, asks one thing, and ends it. */
  const seen = async (env: Readonly<Record<string, string>>) => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-terminal-'))
    await Bun.write(join(folder, 'gatehouse.yaml'), 'backends: { demo: { type: echo } }')
    let text = ''
    const child = Bun.spawn([...gatehouseCommand, 'serve', '--port', '0'], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder, TERM: 'xterm', ...env },
      terminal: {
        cols: 400,
        data: (_, bytes) => {
          text += Buffer.from(bytes).toString()
        },
      },
    })
    const until = async (pattern: RegExp) => {
      for (const deadline = Date.now() + 10_000; !pattern.test(text); await Bun.sleep(10)) {
        if (Date.now() > deadline) throw new Error(`never on the terminal: ${pattern}\n${text}`)
      }
      return text.match(pattern)?.[1] ?? ''
    }
    const url = `http://127.0.0.1:${await until(/localhost:(\d+)\/v1/)}`
    const model = encodeURIComponent('\u001b[2J')
    await fetch(`${url}/v1/models/${model}`, { headers: { 'x-request-id': 't-1' } })
    await until(/id=t-1/)
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
    rmSync(folder, { recursive: true })
    return text.replaceAll('\r\n', '\n')
  }

  test('lines are for people, in colour, and nothing a stranger wrote acts on it', async () => {
    const text = await seen({})
    const esc = '\u001b'
    expect(text).toContain(`${esc}[33m404${esc}[0m`)
    expect(text).toContain('API key authentication disabled')
    expect(text).not.toContain('{"level"')
    expect(text).not.toContain(`${esc}[2J`)
  })

  test('NO_COLOR takes the colours away', async () => {
    const text = await seen({ NO_COLOR: '1' })
    expect(text).not.toContain('\u001b')
    expect(text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} GET \/v1\/models\/%1B%5B2J 404 \d+(\.\d+)?ms key=open 127\.0\.0\.1 id=t-1$/m)
  })
})
