/** `gatehouse cache`, and what every command that speaks to a running gatehouse has in common; the gatehouse is a fake. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLocalDoor } from '../data-folder/local-door.ts'
import { claimDataFolder } from '../data-folder.ts'
import { ConfigError } from '../errors.ts'
import { runGatehouse } from '../testing/gatehouse-process.ts'
import { whyUnreachable } from './remote/why-unreachable.ts'
import { namedRemote, type RemoteArguments } from './remote.ts'

setDefaultTimeout(30_000) // each starts a process, perhaps on a busy machine

const stats = {
  entries: 12,
  bytes: 4096,
  max_entries: 1000,
  max_bytes: 67_108_864,
  hits: 3,
  misses: 1,
  joins: 0,
  bypasses: 7,
  tokens_saved: 1500,
  seconds_saved: 12.5,
  shelf: 'more than we know of',
}
const key = 'sk-admin-not-a-real-key'
const withId = { headers: { 'x-request-id': 'id' } }
const refusal = (status: number, code: string | null, message: string) =>
  Response.json({ error: { message, type: 'some_error', param: null, code, request_id: 'id' } }, { status, ...withId })

/** What was asked of the server, and by whom. */
let asked: { method: string; path: string; key: string | null }[]
let answer: (request: Request) => Response | Promise<Response>
let server: Bun.Server<undefined>
let url: string
beforeEach(() => {
  asked = []
  answer = ({ method }) => Response.json(method === 'GET' ? stats : { cleared: 2 }, withId)
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { pathname, search } = new URL(request.url)
      asked.push({ method: request.method, path: pathname + search, key: request.headers.get('x-api-key') })
      return answer(request)
    },
  })
  url = server.url.origin
})
afterEach(() => server.stop(true))

const run = (args: readonly string[], env: Record<string, string> = {}) => runGatehouse({ args, env })
const named = (...args: string[]) => run(['cache', ...args, '-s', url, '-k', key])
/** One line of complaint, and nothing else. */
const complaint = async (running: ReturnType<typeof run>) => {
  const { code, stdout, stderr } = await running
  expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 1, stdout: '', lines: 2 })
  expect(stderr).toStartWith('gatehouse: ')
  expect(stderr).not.toContain(key)
  return stderr.slice('gatehouse: '.length, -1)
}

describe('cache', () => {
  test('stats is a table for people', async () => {
    const { code, stdout, stderr } = await named('stats')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toStartWith('entries       12 of 1,000\nsize          4 KiB of 64 MiB\nhits          3 (75 %)\n')
    expect(stdout).toEndWith('time saved    12.5s\n')
    expect(asked).toEqual([{ method: 'GET', path: '/admin/cache', key }])
  })

  test('stats --json is what the gatehouse says', async () => {
    const { stdout } = await named('stats', '--json')
    expect(JSON.parse(stdout)).toEqual(stats)
  })

  test('clear says how many answers went', async () => {
    expect((await named('clear')).stdout).toBe('2 answers forgotten\n')
    answer = () => Response.json({ cleared: 1 }, withId)
    expect((await named('clear', '--model', 'qwen3:8b & co')).stdout).toBe('1 answer of qwen3:8b & co forgotten\n')
    expect(JSON.parse((await named('clear', '--json', '--model=x')).stdout)).toEqual({ cleared: 1 })
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'DELETE /admin/cache',
      'DELETE /admin/cache?model=qwen3%3A8b%20%26%20co',
      'DELETE /admin/cache?model=x',
    ])
  })

  test.each([
    [['cache'], 'cache needs stats or clear; gatehouse cache --help says what they do'],
    [['cache', 'stat'], 'cache needs stats or clear, not "stat"; did you mean stats?'],
    [['cache', 'stats', 'now'], 'cache stats takes no argument "now"; gatehouse cache --help lists its options'],
    [['cache', 'stats', '--model', 'x'], '--model is for cache clear'],
    [['cache', 'clear', '--model', ''], '--model is empty'],
    [['cache', 'clear', '--modle', 'x'], 'cache has no option --modle; did you mean --model?'],
    [['admin'], 'admin needs reset; gatehouse admin --help says what it does'],
    [['admin', 'rest'], 'admin needs reset, not "rest"; did you mean reset?'],
    [['admin', 'reset', 'now'], 'admin reset takes no argument "now"; gatehouse admin --help lists its options'],
    [['cache', 'stats', '-k'], '--api-key needs a value; gatehouse cache --help lists its options'],
    [['help', 'cash'], 'there is no command "cash"; did you mean cache? gatehouse --help lists them'],
    [['help', 'constructor'], 'there is no command "constructor"; gatehouse --help lists them'],
    [['cache', 'stats', '-k', '--json'], '--api-key needs a value; one that begins with a dash is written --api-key=-…'],
    [['--api_key=sk-not-a-real-key', 'cache', 'stats'], 'cache has no option --api_key; did you mean --api-key?'],
    [['--api_key=sk-not-a-real-key', 'cash', 'stats'], 'there is no option --api_key; did you mean --api-key?'],
  ])('%p is one clear line', async (args, line) => {
    const said = await complaint(run(args))
    expect(said).toContain(line)
    expect(said).not.toContain('sk-not-a-real-key')
    expect(asked).toEqual([])
  })

  test.each([
    [['cache', '--help'], 'Usage: gatehouse cache stats'],
    [['cache', 'stats', '--help'], 'Usage: gatehouse cache stats'],
    [['cache', 'clear', '-h'], 'Usage: gatehouse cache stats'],
    [['help', 'cache'], 'Usage: gatehouse cache stats'],
    [['help'], 'cache clear'],
    [['help', 'help'], 'cache clear'],
    [['admin', '--help'], 'Usage: gatehouse admin reset'],
    [['admin', 'reset', '--help'], 'Usage: gatehouse admin reset'],
    [['--help'], 'cache clear'],
    [['--help'], 'admin reset'],
  ])('%p is help', async (args, text) => {
    const { code, stdout } = await run(args)
    expect(stdout).toContain(text)
    expect(code).toBe(0)
  })
})

describe('which gatehouse, and by what key', () => {
  test.each<[string, (url: string) => { args: string[]; env?: Record<string, string> }]>([
    ['options behind the command', url => ({ args: ['cache', 'stats', '--server', url, '--api-key', key] })],
    ['options in front of it', url => ({ args: ['-s', url, '-k', key, 'cache', 'stats'] })],
    ['with one dash', url => ({ args: [`-server=${url}`, `-api-key=${key}`, 'cache', 'stats'] })],
    ['GATEHOUSE_…', url => ({ args: ['cache', 'stats'], env: { GATEHOUSE_SERVER: url, GATEHOUSE_ADMIN_API_KEY: key } })],
    ['MODELGATE_…', url => ({ args: ['cache', 'stats'], env: { MODELGATE_SERVER: url, MODELGATE_API_KEY: key } })],
    [
      'options over the environment',
      url => ({
        args: ['cache', 'stats', '-s', url, '-k', key],
        env: { GATEHOUSE_SERVER: 'http://127.0.0.1:1', GATEHOUSE_ADMIN_API_KEY: 'other' },
      }),
    ],
    [
      'ours over ModelGate’s',
      url => ({
        args: ['cache', 'stats'],
        env: {
          GATEHOUSE_SERVER: url,
          GATEHOUSE_ADMIN_API_KEY: key,
          MODELGATE_SERVER: 'http://127.0.0.1:1',
          MODELGATE_API_KEY: 'other',
        },
      }),
    ],
    ['a slash and /v1 at the end', url => ({ args: ['cache', 'stats', '-s', `${url}/v1/`, '-k', ` ${key}\n`] })],
  ])('%s', async (_, how) => {
    const { args, env } = how(url)
    expect(await run(args, env)).toMatchObject({ code: 0, stderr: '' })
    expect(asked).toEqual([{ method: 'GET', path: '/admin/cache', key }])
  })

  test('a path in front of it', async () => {
    expect(await run(['cache', 'stats', '-s', `${url}/gate/`, '-k', key])).toMatchObject({ code: 0 })
    expect(asked).toEqual([{ method: 'GET', path: '/gate/admin/cache', key }])
  })

  describe('that of the data folder', () => {
    let folder: string
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'))
    })
    afterEach(() => rmSync(folder, { recursive: true }))
    const serving = async (host = '127.0.0.1') => {
      const claimed = await claimDataFolder(folder)
      claimed.announce({ host, port: server.port as number })
      return Object.assign(claimed, { [Symbol.dispose]: () => claimed.release() })
    }

    test.each(['127.0.0.1', 'localhost', '0.0.0.0'])('on %s is entered with its own token', async host => {
      using _ = await serving(host)
      const token = readLocalDoor(join(folder, 'run'))?.token as string
      // the key of the environment is for another one
      expect(await run(['cache', 'stats'], { DATA_DIR: folder, MODELGATE_API_KEY: key })).toMatchObject({ code: 0, stderr: '' })
      expect(await run(['cache', 'stats', '-k', key], { DATA_DIR: folder })).toMatchObject({ code: 0 })
      expect(asked.map(({ key }) => key)).toEqual([token, key])
    })

    test('by the config that is named', async () => {
      using _ = await serving()
      const files = { 'other.yaml': JSON.stringify({ data_dir: folder }) }
      expect((await runGatehouse({ args: ['-c', 'other.yaml', 'cache', 'stats'], files })).code).toBe(0)
      expect((await runGatehouse({ args: ['cache', 'stats', '--config', 'other.yaml'], files })).code).toBe(0)
      expect(asked).toHaveLength(2)
    })

    test('that has ended, was killed, or never was', async () => {
      const here = { DATA_DIR: folder }
      const nobody = `no gatehouse serves from ${folder}; start one with gatehouse serve, or name another one with --server or --config`
      expect(await complaint(run(['cache', 'stats'], { DATA_DIR: join(folder, 'nowhere') }))).toContain('no gatehouse serves from')
      expect(await complaint(run(['cache', 'stats'], here))).toBe(nobody)
      const claimed = await serving()
      claimed.release()
      expect(await complaint(run(['cache', 'stats'], here))).toBe(nobody)
      expect(asked).toEqual([])
    })

    test('that is still starting', async () => {
      const claimed = await claimDataFolder(folder)
      expect(await complaint(run(['cache', 'stats'], { DATA_DIR: folder }))).toMatch(
        /still starting\) has not said how to reach it; try again$/,
      )
      claimed.release()
    })

    test('that does not let it in', async () => {
      using _ = await serving()
      answer = () => refusal(401, 'invalid_api_key', 'Invalid API key')
      const said = await complaint(run(['cache', 'stats'], { DATA_DIR: folder }))
      expect(said).toContain('is auth in its pipeline?')
      expect(await complaint(run(['cache', 'stats', '-k', 'sk-not-it'], { DATA_DIR: folder }))).toEndWith(
        'leave out --api-key: on its own machine none is needed',
      )
      expect(said).not.toContain('sk-local-')
    })

    test('a config that is wrong is told as ever', async () => {
      const { code, stderr } = await runGatehouse({ args: ['cache', 'stats'], files: { 'gatehouse.yaml': 'prot: 1' } })
      expect(stderr).toContain('did you mean port?')
      expect(code).toBe(1)
    })
  })
})

describe('what can be in the way is one clear line', () => {
  const complaintOf = async (given: RemoteArguments = { server: url, 'api-key': key }): Promise<string> => {
    const ask = async () => namedRemote(given, {})?.ask('GET', '/admin/cache')
    const error = await ask().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConfigError)
    const { message } = error as ConfigError
    expect(message).not.toMatch(new RegExp(`\\n|${key}`))
    return message
  }

  test.each([
    ['localhost:11435', 'begins with http:// or https://'],
    ['ftp://localhost', 'begins with http:// or https://'],
    ['http://me:s3cret@localhost:1', 'must have no user, password, query or fragment'],
    ['http://localhost:1/?key=s3cret', 'must have no user, password, query or fragment'],
    ['', '--server is empty'],
  ])('a server that is no address: %p', async (server, line) => {
    const said = await complaintOf({ server })
    expect(said).toContain(line)
    expect(said).not.toContain('s3cret')
  })

  test.each([
    ['', '--api-key is empty'],
    ['sk-ключ', 'the key has characters that no key has'],
    ['a\nb', 'the key has characters that no key has'],
  ])('a key that is none: %p', async (given, line) => {
    expect(await complaintOf({ server: url, 'api-key': given })).toContain(line)
    expect(asked).toEqual([])
  })

  test('nobody listens there', async () => {
    expect(await complaintOf({ server: 'http://127.0.0.1:1' })).toBe('http://127.0.0.1:1: nothing listens there (ECONNREFUSED)')
  })

  test.each([
    [{ code: 'EPROTO' }, 'it speaks no https there; perhaps http (EPROTO)'],
    [{ code: 'ENOTFOUND' }, 'there is no such host (ENOTFOUND)'],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'its certificate is not trusted here; NODE_EXTRA_CA_CERTS=FILE names one more authority'],
    [{ name: 'TimeoutError', code: 23 }, 'it does not answer'],
    [{ code: 'E_NEW', message: `no way to http://h/?key=${key}` }, 'it cannot be reached (E_NEW)'],
  ])('%p', (error, line) => {
    const { message } = whyUnreachable(error, { name: 'http://h', url: 'http://h', key, advice: '', own: false })
    expect(message).toStartWith(`http://h: ${line}`)
    expect(message).not.toContain(key)
  })

  test('a connection that is closed', async () => {
    const closing = createServer(socket => socket.destroy())
    await new Promise<void>(resolve => closing.listen(0, '127.0.0.1', resolve))
    const { port } = closing.address() as AddressInfo
    expect(await complaintOf({ server: `http://127.0.0.1:${port}` })).toContain('it closed the connection')
    closing.close()
  })

  test.each<[string, () => Response, string | RegExp]>([
    [
      '401',
      () => refusal(401, 'invalid_api_key', 'Invalid API key'),
      'asks for a key, and this one is not known there; give its admin key',
    ],
    [
      '403',
      () => refusal(403, 'admin_only', 'Only the admin key may do this.'),
      'lets only its administrator do this, and this key is not the admin key',
    ],
    ['another 403', () => refusal(403, 'host_not_allowed', 'Not that host.'), /: Not that host\.$/],
    ['404', () => refusal(404, 'unknown_url', 'There is nothing at /admin/cache.'), 'has no GET /admin/cache: it is of another release'],
    ['429', () => refusal(429, 'rate_limit_exceeded', 'Too many failed logins.'), /: Too many failed logins\.$/],
    [
      'a message that acts on terminals, and holds the key',
      () => refusal(500, null, `\u001b[2Jno\n${key}`),
      '\\u001b[2Jno\\u000a<redacted>',
    ],
    [
      'a page',
      () => new Response('<html>', { headers: { 'content-type': 'text/html; charset=utf-8' } }),
      'is not a gatehouse (status 200, text/html)',
    ],
    ['nothing', () => new Response(null, { status: 404 }), 'is not a gatehouse (status 404)'],
    ['JSON of somebody else', () => Response.json({ ok: true }), 'is not a gatehouse (status 200, application/json)'],
    [
      'an error of somebody else',
      () => Response.json({ detail: 'Not Found' }, { status: 404, ...withId }),
      'is not a gatehouse (status 404',
    ],
    ['a list', () => Response.json([], withId), 'is not a gatehouse'],
    ['a redirect', () => Response.redirect('/login'), /answers with a redirect$/],
    [
      'a redirect to elsewhere',
      () => Response.redirect('https://gate.example/x?y=z'),
      'a redirect to https://gate.example; name that one, if you trust it',
    ],
  ])('%s', async (_, response, line) => {
    answer = response
    expect(await complaintOf()).toMatch(typeof line === 'string' ? new RegExp(line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : line)
    expect(asked).toHaveLength(1) // no redirect was followed
  })

  test('no key where one is needed', async () => {
    answer = () => refusal(401, 'invalid_api_key', 'Invalid API key')
    expect(await complaintOf({ server: url })).toContain('asks for a key, and none was given; give its admin key with --api-key')
    expect(asked[0]?.key).toBeNull()
  })

  test('an endless answer', async () => {
    answer = () => new Response(new ReadableStream({ pull: controller => controller.enqueue(new Uint8Array(1024 * 1024)) }), withId)
    expect(await complaintOf()).toContain('is not a gatehouse')
  })
})
