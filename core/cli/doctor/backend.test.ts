import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors.ts'
import { fakeOllama } from '../../testing/fake-ollama.ts'
import { fakeOpenai } from '../../testing/fake-openai.ts'
import { fakeVllm } from '../../testing/fake-vllm.ts'
import { checkBackend } from './backend.ts'
import { howToStart, placeOf } from './backend-place.ts'
import { reasonOf, type Silence } from './backend-reason.ts'
import { examine, freePort, installProgram, linesOf } from './testing/examine.ts'

const nobody = async () => `http://127.0.0.1:${await freePort()}`
const machine = { path: '', inContainer: false }
const never = new AbortController().signal
const entry = (type: 'ollama' | 'vllm' | 'llamacpp' | 'openai-compatible', base_url: string) => ({
  type,
  base_url,
  headers: {},
  timeouts: {},
})

describe('a configured backend', () => {
  test('that answers is told with its latency and the number of its models', async () => {
    const fake = await fakeOllama()
    const found = await examine({ yaml: { backends: { home: { type: 'ollama', base_url: fake.url } } } })
    expect(linesOf(found, 'backend home')).toEqual([
      expect.stringMatching(new RegExp(`^ok: ollama at ${fake.url} answers in \\d+ ms, with 2 models$`)),
    ])
    await fake.stop()
  })

  test('that is not there', async () => {
    const url = await nobody()
    const found = await examine({ yaml: { backends: { box: { type: 'vllm', base_url: url } } } })
    expect(linesOf(found, 'backend box')).toEqual([
      expect.stringMatching(
        new RegExp(`^problem: vllm at ${url} does not answer: nothing listens there → start it, or correct backends\\.box\\.base_url`),
      ),
    ])
  })

  test.each([
    ['ENOTFOUND', 'name', 'no machine of that name is known'],
    ['EAI_AGAIN', 'name', 'its name cannot be looked up now'],
    ['ECONNREFUSED', 'absent', 'nothing listens there'],
    ['ETIMEDOUT', 'late', 'it does not answer'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate', 'its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)'],
    ['EPROTO', 'other', 'it does not speak TLS there; is it http:// instead of https://?'],
    ['EWHATEVER', 'unreachable', 'it cannot be reached (EWHATEVER)'],
  ])('that fails with %s', (code, kind, text) => {
    const cause = Object.assign(new Error('a message with sk-fake-key'), { code })
    const inner = new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to connect', { cause })
    const error = new GatewayError(503, 'service_unavailable', 'model_unavailable', 'Ollama unreachable', { cause: inner })
    expect(reasonOf(error, 1000)).toEqual({ kind, text } as ReturnType<typeof reasonOf>)
  })

  test('that refuses the key says which setting to correct', async () => {
    const fake = await fakeOpenai({ apiKey: 'sk-right-key-of-the-box' })
    const found = await examine({
      yaml: {
        backends: {
          wrong: { type: 'openai', base_url: fake.url, api_key: 'sk-wrong-key-of-the-box' },
          header: { type: 'openai-compatible', base_url: fake.url, headers: { 'x-api-key': 'sk-wrong-header-of-the-box' } },
        },
      },
    })
    expect(linesOf(found, 'backend wrong')).toEqual([
      `problem: openai at ${fake.url}: it refuses the key, or the lack of one (401) → correct backends.wrong.api_key`,
    ])
    expect(linesOf(found, 'backend header')[0]).toEndWith('→ correct backends.header.api_key or backends.header.headers')
    expect(JSON.stringify(found)).not.toMatch(/sk-(right|wrong)/)
    await fake.stop()
  })

  test('that is another kind of server', async () => {
    const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('a page', { status: 404 }) })
    const found = await examine({ yaml: { backends: { box: { type: 'vllm', base_url: `http://127.0.0.1:${server.port}` } } } })
    expect(linesOf(found, 'backend box')[0]).toMatch(
      /^problem: .* answers, but not as vllm does: it answers with the status 404 → check backends\.box\.type/,
    )
    await server.stop(true)
  })

  test('that is of another type than the config says', async () => {
    const fake = await fakeOpenai()
    const found = await examine({ yaml: { backends: { box: { type: 'ollama', base_url: fake.url } } } })
    expect(linesOf(found, 'backend box')[0]).toMatch(
      / answers, but not as ollama does: .*; it looks like OpenAI-compatible server → check backends/,
    )
    await fake.stop()
  })

  test.each(['vllm', 'ollama', 'openai-compatible', 'llamacpp'])('of type %s that hangs is not waited for', async type => {
    const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Promise<Response>(() => {}) })
    const found = await examine({
      yaml: { health_check_timeout: '50ms', backends: { box: { type, base_url: `http://127.0.0.1:${server.port}` } } },
      prepare: folder => installProgram(folder, 'ollama'),
    })
    const [line] = linesOf(found, 'backend box')
    expect(line).toMatch(/^problem: .* does not answer: no answer within 0.05 s → it takes connections and says nothing: look into its log/)
    expect(line).not.toContain('container')
    await server.stop(true)
  })

  test('whose name nobody knows: the fix begins with the name', async () => {
    const found = await examine({ yaml: { backends: { box: { type: 'ollama', base_url: 'http://no-such-box.invalid:11434' } } } })
    expect(linesOf(found, 'backend box')).toEqual([
      expect.stringMatching(
        /^problem: ollama at .* does not answer: .* → "no-such-box\.invalid" may be misspelt: correct backends\.box\.base_url, or see to it/,
      ),
    ])
  })

  test('never shows user, password or key of its address', async () => {
    const url = (await nobody()).replace('http://', 'http://operator:hunter2hunter2@')
    const found = await examine({ yaml: { backends: { box: { type: 'ollama', base_url: url } } } })
    expect(linesOf(found, 'backend box')[0]).toMatch(/^problem: ollama at http:\/\/127\.0\.0\.1:\d+ does not answer/)
    expect(JSON.stringify(found)).not.toMatch(/hunter2|operator/)
  })

  test('without models, and with models the config names but it lacks', async () => {
    const empty = await fakeOllama({ models: [] })
    const ollama = await fakeOllama({ models: ['mistral:latest'] })
    const vllm = await fakeVllm({ models: ['Qwen/Qwen3-32B'] })
    const found = await examine({
      yaml: {
        backends: {
          empty: { type: 'ollama', base_url: empty.url },
          home: { type: 'ollama', base_url: ollama.url },
          box: { type: 'vllm', base_url: vllm.url },
        },
        models: [
          { name: 'there', targets: [{ backend: 'home', model: 'mistral' }] },
          {
            name: 'smart',
            targets: [
              { backend: 'box', model: 'Qwen/Qwen3-23B' },
              { backend: 'home', model: 'qwen3:8b' },
            ],
          },
          { name: 'any-*', targets: [{ backend: 'home' }] },
        ],
      },
    })
    expect(linesOf(found, 'backend empty')[0]).toMatch(/^warning: .* has no models → .*ollama pull llama3\.2$/)
    expect(linesOf(found, 'backend home').slice(1)).toEqual([
      'problem: model "smart" is sent there as "qwen3:8b", which it does not list → ollama pull qwen3:8b',
    ])
    expect(linesOf(found, 'backend box').slice(1)).toEqual([
      expect.stringMatching(/^warning: model "smart" is sent there as "Qwen\/Qwen3-23B".* did you mean Qwen\/Qwen3-32B\?$/),
    ])
    await Promise.all([empty.stop(), ollama.stop(), vllm.stop()])
  })

  test('that lists its models while it still loads one', async () => {
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      routes: { '/v1/models': Response.json({ data: [{ id: 'm' }] }), '/health': new Response('{}', { status: 503 }) },
    })
    const found = await checkBackend(
      'box',
      entry('llamacpp', `http://127.0.0.1:${server.port}`),
      { ...machine, config: { models: [], ollama_autostart: true }, timeoutMs: 2000 },
      never,
    )
    expect(found.map(({ status }) => status)).toEqual(['ok', 'warning'])
    expect(found[1]?.message).toContain('busy or still loading (503)')
    await server.stop(true)
  })
})

describe('how to start a server that does not answer', () => {
  const advise = (
    type: 'ollama' | 'vllm',
    url: string,
    given: { path?: string; inContainer?: boolean; autostart?: boolean; kind?: Silence } = {},
  ) => {
    const { path = '', inContainer = false, autostart = true, kind = 'absent' } = given
    const all = { path, inContainer, config: { ollama_autostart: autostart } }
    const { status, fix, message } = howToStart(placeOf('x', entry(type, url), all), { kind, text: 'nothing listens there' }, all)
    return `${status}: ${fix ?? message}`
  }

  test('depends on whose machine it is, and on what is installed', async () => {
    const { installed, folder } = await installedOllama()
    const here = 'http://localhost:11434'
    expect(advise('ollama', here)).toBe('problem: start it, or install it from https://ollama.com, or correct backends.x.base_url')
    expect(advise('ollama', here, { path: installed })).toMatch(/^warning: .*gatehouse serve starts it$/)
    expect(advise('ollama', here, { path: installed, autostart: false })).toMatch(/^problem: start it with: ollama serve/)
    expect(advise('ollama', 'http://10.1.2.3:11434', { path: installed })).toMatch(/^problem: start it, open its port to this machine/)
    expect(advise('vllm', 'http://127.0.0.1:8000')).toBe('problem: start it, or correct backends.x.base_url')
    const contained = { inContainer: true }
    expect(advise('vllm', 'http://127.0.0.1:8000', contained)).toMatch(
      /^problem: start it, or correct backends\.x\.base_url: this is a container, .*host\.docker\.internal$/,
    )
    expect(advise('ollama', here, contained)).toMatch(/^problem: start it, or install it .*: this is a container/)
    for (const kind of ['late', 'unreachable', 'name'] as const) {
      expect(advise('vllm', 'http://127.0.0.1:8000', { ...contained, kind })).not.toContain('container')
    }
    expect(advise('ollama', here, { path: installed, kind: 'late' })).toMatch(/^problem: it takes connections and says nothing/)
    Bun.spawnSync(['rm', '-r', folder])
  })
})

async function installedOllama() {
  const folder = Bun.spawnSync(['mktemp', '-d']).stdout.toString().trim()
  await installProgram(folder, 'ollama')
  return { folder, installed: `${folder}/bin` }
}

describe('without configured backends', () => {
  test('tells what is found on the usual ports, and what it wants', async () => {
    const fake = await fakeOllama()
    const locked = await fakeOpenai({ apiKey: 'sk-fake-key-of-this-test' })
    const places = [fake, locked].map(({ port }) => ({ port, product: 'Ollama' as const }))
    expect(linesOf(await examine({ places }), 'backends')).toEqual([
      expect.stringMatching(new RegExp(`^ok: ollama at ${fake.url} answers in \\d+ ms, with 2 models$`)),
      expect.stringMatching(new RegExp(`^warning: .* at ${locked.url} wants a key → name it under backends: .* api_key$`)),
    ])
    await Promise.all([fake.stop(), locked.stop()])
  })

  test('says how to get one, or that Ollama would be started', async () => {
    const none = await examine({})
    expect(linesOf(none, 'backends')[0]).toMatch(/^problem: no Ollama, .* → install one .*gatehouse demo needs none$/)
    const prepare = (folder: string) => installProgram(folder, 'ollama')
    expect(linesOf(await examine({ prepare }), 'backends')[0]).toMatch(/^warning: .*ollama is installed, so gatehouse serve starts it$/)
    const off = await examine({ prepare, env: { OLLAMA_AUTOSTART: 'false' } })
    expect(linesOf(off, 'backends')[0]).toMatch(/^problem: .* → start it with: ollama serve/)
  })

  test('has nothing to say when gatehouse runs its own models', async () => {
    const found = await examine({ yaml: { models: [{ name: 'w', command: 'whisper-server' }] } })
    expect(linesOf(found, 'backends')).toEqual([])
  })
})
