import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { llamaServerArguments, llamaServerEnvironment } from './llama-server.ts'
import { fixedArgument } from './llama-server-arguments.ts'
import { checkLlamaServer } from './llama-server-check.ts'
import { abilitiesOf } from './llama-server-help.ts'
import { readProps, shortcoming } from './llama-server-props.ts'
import { type LlamaServerModel, settingsOf } from './llama-server-settings.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-llama-')))
afterAll(() => rmSync(folder, { recursive: true }))

const model = (more: Partial<LlamaServerModel> = {}): LlamaServerModel => ({
  ...{ model_path: '/m.gguf', gpu_layers: 0, context_size: 4096, threads: 4, batch_size: 512, slots: 8, extra_args: [] },
  ...more,
})
const door = { port: 9000, apiKey: 'sk-fake' }
const [recent, old] = [
  { unifiedCache: true, keyFromEnvironment: true },
  { unifiedCache: false, keyFromEnvironment: false },
]
const line = (more: Partial<LlamaServerModel>, abilities = recent) => llamaServerArguments(model(more), door, abilities).join(' ')
const start = '-m /m.gguf --host 127.0.0.1 --port 9000'

describe('the arguments', () => {
  test.each<[string, Partial<LlamaServerModel>, typeof recent, string]>([
    ['with one cache for all slots', {}, recent, `${start} -ngl 0 -c 4096 -b 512 -t 4 -np 8 --kv-unified`],
    ['with a cache for each', {}, old, `${start} -ngl 0 -c 32768 -b 512 -t 4 -np 8 --api-key sk-fake`],
    ['all layers on the GPU', { gpu_layers: -1 }, recent, `${start} -ngl 999 -c 4096 -b 512 -t 4 -np 8 --kv-unified`],
    [
      'some layers on the GPU, threads by itself',
      { gpu_layers: 20, threads: 0 },
      recent,
      `${start} -ngl 20 -c 4096 -b 512 -np 8 --kv-unified`,
    ],
    [
      'its own arguments last',
      { extra_args: ['-c', '1', '-fa', 'on'] },
      recent,
      `${start} -ngl 0 -c 4096 -b 512 -t 4 -np 8 --kv-unified -c 1 -fa on`,
    ],
    [
      'more slots of its own',
      { extra_args: ['--parallel', '2'] },
      old,
      `${start} -ngl 0 -c 8192 -b 512 -t 4 -np 8 --api-key sk-fake --parallel 2`,
    ],
    [
      'no key but ours',
      { extra_args: ['--api-key', 'sk-other', '-fa', 'on', '--api-key-file', '/keys'] },
      recent,
      `${start} -ngl 0 -c 4096 -b 512 -t 4 -np 8 --kv-unified -fa on`,
    ],
    ['not shared, as it wants', { extra_args: ['-no-kvu'] }, recent, `${start} -ngl 0 -c 32768 -b 512 -t 4 -np 8 -no-kvu`],
    ['shared, as it wants', { slots: 2, extra_args: ['-kvu'] }, old, `${start} -ngl 0 -c 4096 -b 512 -t 4 -np 2 --api-key sk-fake -kvu`],
  ])('%s', (_, more, abilities, expected) => {
    expect(line(more, abilities)).toBe(expected)
  })

  test('that are not for extra_args', () => {
    const words = ['--port', '-m', ' --host ', '--model', '-c', '--ports', '8080']
    expect(words.map(fixedArgument)).toEqual(['--port', '-m', '--host', '--model', undefined, undefined, undefined])
  })
})

describe('what it runs with', () => {
  test('is what the arguments say, the last of each', () => {
    const extra_args = [
      '-np',
      '4',
      '--parallel',
      '2',
      '-c',
      '10000',
      '-b',
      '64',
      '-ub',
      '32',
      '-ctk',
      'q8_0',
      '-md',
      '/d.gguf',
      '--lora',
      '/a,/b',
      '--mmproj',
      '/p',
    ]
    expect(settingsOf(model({ extra_args }), true)).toEqual({
      ...{ slots: 2, unified: true, sharedTokens: 10_000, contextArgument: 4096, contextSize: 10_000, gpuLayers: 0, batchSize: 64 },
      ...{ microBatchSize: 32, keyType: 'q8_0', valueType: 'f16', cacheOnGpu: true, wholeWindow: false },
      ...{ draftModel: '/d.gguf', otherFiles: ['/p', '/a', '/b'] },
    })
    expect(settingsOf(model({ extra_args }), false)).toMatchObject({ unified: false, contextArgument: 8192, contextSize: 5000 })
    expect(settingsOf(model({ extra_args }), false)).not.toHaveProperty('sharedTokens')
  })
  test('is what the config says where they are no numbers', () => {
    const settings = settingsOf(model({ extra_args: ['-np', 'auto', '-b', '-1', '-c'] }), true)
    expect(settings).toMatchObject({ slots: 8, batchSize: 512, contextSize: 4096, sharedTokens: 4096 })
  })
})

describe('the environment', () => {
  const program = join(folder, 'build', 'llama-server')
  mkdirSync(join(folder, 'build'))
  writeFileSync(program, '')
  const link = join(folder, 'llama-server')
  symlinkSync(program, link)
  const env = (command: string, given: Record<string, string>, platform: NodeJS.Platform) =>
    llamaServerEnvironment(command, given, door, platform)

  test.each<[string, Record<string, string>, NodeJS.Platform, Record<string, string>]>([
    [program, {}, 'linux', { LD_LIBRARY_PATH: join(folder, 'build') }],
    [program, { LD_LIBRARY_PATH: '/a:/b' }, 'linux', { LD_LIBRARY_PATH: `${join(folder, 'build')}:/a:/b` }],
    [link, {}, 'linux', { LD_LIBRARY_PATH: `${folder}:${join(folder, 'build')}` }],
    [program, { LD_LIBRARY_PATH: '/a' }, 'darwin', { LD_LIBRARY_PATH: '/a', DYLD_LIBRARY_PATH: join(folder, 'build') }],
    [program, { LD_LIBRARY_PATH: '/a' }, 'win32', { LD_LIBRARY_PATH: '/a' }],
  ])('%s with %p on %s', (command, given, platform, libraries) => {
    expect(env(command, { A: 'b', LLAMA_API_KEY: 'sk-other', ...given }, platform)).toEqual({
      A: 'b',
      LLAMA_API_KEY: 'sk-fake',
      ...libraries,
    })
  })
})

describe('the help of a program', () => {
  const help = '-c,    --ctx-size N\n-kvu,  --kv-unified, -no-kvu\n--kv-unified-per-slot N\n(env: LLAMA_API_KEY)'
  const probe = (name = 'server') => ({ command: join(folder, name), env: {} })
  const program = (name: string, text = '') => {
    writeFileSync(join(folder, name), text)
    return probe(name)
  }

  test.each<[string, string, typeof recent]>([
    ['a recent one', help, recent],
    ['an old one', '-c N, --ctx-size N\n--api-key KEY', old],
    ['one that knows something else', '--ctx-size N\n--kv-unified-per-slot N\nMY_LLAMA_API_KEY_X', old],
    ['no llama-server', '--kv-unified LLAMA_API_KEY', old],
  ])('%s', async (name, text, abilities) => {
    expect(await abilitiesOf(async () => text)(program(name.replaceAll(' ', '-')))).toEqual(abilities)
  })

  test('is asked once, until the program changes; together, too', async () => {
    let asked = 0
    const abilities = abilitiesOf(async () => {
      asked++
      return help
    })
    const server = program('server')
    expect(await Promise.all([abilities(server), abilities(server)])).toEqual([recent, recent])
    await abilities(server)
    expect(asked).toBe(1)
    utimesSync(server.command, 1, 1)
    await abilities(server)
    expect(asked).toBe(2)
  })

  test('that fails is asked for again, and nothing is expected meanwhile', async () => {
    const answers = ['', 'segmentation fault', help]
    const abilities = abilitiesOf(async () => answers.shift() || Promise.reject(new Error('it could not be started')))
    const server = program('flaky')
    expect([await abilities(server), await abilities(server), await abilities(server)]).toEqual([old, old, recent])
  })

  test.skipIf(process.platform === 'win32')('is what the program prints, to either side', async () => {
    const server = program('real', `#!/bin/sh\nif [ "$1" = --help ]; then echo '-c, --ctx-size N'; echo '--kv-unified' >&2; fi; exit 1\n`)
    chmodSync(server.command, 0o755)
    expect(await abilitiesOf()({ ...server, env: { PATH: process.env.PATH ?? '' } })).toEqual({
      unifiedCache: true,
      keyFromEnvironment: false,
    })
  })
})

describe('/props', () => {
  const wanted = { slots: 8, contextSize: 4096 }
  test.each<[unknown, object, string | undefined]>([
    [{ total_slots: 8, default_generation_settings: { n_ctx: 4096 } }, wanted, undefined],
    [{ total_slots: 9, default_generation_settings: { n_ctx: 9999 } }, { slots: 9, contextSize: 9999 }, undefined],
    [
      { total_slots: 8, default_generation_settings: { n_ctx: 512 } },
      { slots: 8, contextSize: 512 },
      'its llama-server has 512 tokens of context for a request, not the 4096 of context_size',
    ],
    [{ total_slots: 1 }, { slots: 1 }, 'its llama-server takes 1 requests at once, not the 8 of slots'],
    [{ total_slots: '8', default_generation_settings: null }, {}, undefined],
    [null, {}, undefined],
    ['x', {}, undefined],
  ])('%p', (answer, props, problem) => {
    expect(readProps(answer)).toEqual(props)
    expect(shortcoming(readProps(answer), wanted)).toBe(problem as string)
  })
})

describe('the last look at a llama-server', () => {
  const wanted = { slots: 8, contextSize: 4096 }
  async function look(answer: (request: Request) => Response, apiKey?: string) {
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer })
    const problems: string[] = []
    try {
      const check = checkLlamaServer({ wanted, onShortcoming: problem => problems.push(problem) })
      await check({ baseUrl: `http://127.0.0.1:${server.port}`, apiKey }, AbortSignal.timeout(5_000))
      return problems
    } finally {
      await server.stop(true)
    }
  }
  const props = (n_ctx: number) => Response.json({ total_slots: 8, default_generation_settings: { n_ctx } })

  test('shows the key, and is content', async () => {
    const seen: (string | null)[] = []
    const problems = await look(request => {
      seen.push(new URL(request.url).pathname, request.headers.get('authorization'))
      return props(4096)
    }, 'sk-fake')
    expect([seen, problems]).toEqual([['/props', 'Bearer sk-fake'], []])
  })
  test('tells what is less than was promised', async () => {
    expect(await look(() => props(2048))).toEqual([
      'its llama-server has 2048 tokens of context for a request, not the 4096 of context_size',
    ])
  })
  test.each([401, 403])('a %d is somebody else', async status => {
    await expect(look(() => new Response('no', { status }), 'sk-fake')).rejects.toMatchObject({
      message: 'does not take the key it was started with; another program listens on its port',
      code: 'EADDRINUSE',
    })
  })
  test.each([
    ['nothing of the kind', () => new Response('', { status: 404 })],
    ['nonsense', () => new Response('<html>')],
  ])('%s is let pass', async (_, answer) => {
    expect(await look(answer)).toEqual([])
  })
})
