// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LaunchModel, type LaunchPlace, planLaunch } from './launch.ts'
import { launchPrint } from './launch-print.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-launch-')))
afterAll(() => rmSync(folder, { recursive: true }))
const program = join(folder, 'llama-server')
writeFileSync(program, '')
chmodSync(program, 0o755)

const door = { port: 9000, apiKey: 'sk-fake' }
const place = (more: Partial<LaunchPlace> = {}): LaunchPlace => ({
  env: { PATH: folder, HOME: '/home/me', API_KEY: 'sk-ours', DIR: '/my models', LD_LIBRARY_PATH: '/a' },
  abilities: async () => ({ unifiedCache: true, keyFromEnvironment: true }),
  ...more,
})
const plan = (model: Omit<LaunchModel, 'name'>, more: Partial<LaunchPlace> = {}) =>
  planLaunch({ name: 'my model', ...model }, door, place(more))

describe('a command', () => {
  test('is taken apart, and then filled in', async () => {
    expect(await plan({ command: 'serve --port ${PORT} "--name=${MODEL_ID}" --key ${API_KEY} -m ${env.DIR}/a.gguf' })).toEqual({
      command: 'serve',
      args: ['--port', '9000', '--name=my model', '--key', 'sk-fake', '-m', '/my models/a.gguf'],
      env: { PATH: folder, HOME: '/home/me', LD_LIBRARY_PATH: '/a', PORT: '9000' },
      healthPath: '/health',
      apiKey: 'sk-fake',
    })
  })

  test('has what the config says', async () => {
    const env = { KEY: '${API_KEY}', PATH: '/only', ADDRESS: '127.0.0.1:${PORT}', MODE: 'x' }
    expect(await plan({ command: 'run', env, cwd: '/there', health: '/ready', stop: "end 'a b' ${PORT}" })).toEqual({
      command: 'run',
      args: [],
      env: { PATH: '/only', HOME: '/home/me', LD_LIBRARY_PATH: '/a', PORT: '9000', KEY: 'sk-fake', ADDRESS: '127.0.0.1:9000', MODE: 'x' },
      cwd: '/there',
      healthPath: '/ready',
      apiKey: 'sk-fake',
      listensElsewhere: true,
      stop: { command: 'end', args: ['a b', '9000'] },
    })
  })

  test.each<[string, Omit<LaunchModel, 'name'>, string]>([
    ['a quote', { command: 'a "b' }, 'its command has a quote that is never closed'],
    ['a quote in stop', { command: 'a', stop: "it's" }, 'its stop has a quote that is never closed'],
    ['a variable', { command: 'a ${env.NOPE}' }, 'the variable NOPE is needed, but not set'],
    ['a variable in env', { command: 'a', env: { A: '${env.NOPE}' } }, 'the variable NOPE is needed, but not set'],
    ['nothing at all', {}, 'has neither a model_path nor a command'],
  ])('%s that is missing is told', async (_, model, problem) => {
    await expect(plan(model)).rejects.toThrow(problem)
  })
})

describe('a llama-server', () => {
  test('is found in the PATH, or where llama_server_path says', async () => {
    const found = await plan({ model_path: '/m.gguf' })
    expect(found.command).toBe(program)
    expect(found.args.join(' ')).toBe('-m /m.gguf --host 127.0.0.1 --port 9000 -ngl 0 -c 4096 -b 512 -t 4 -np 8 --kv-unified')
    expect(found.env).toEqual({ PATH: folder, HOME: '/home/me', PORT: '9000', LLAMA_API_KEY: 'sk-fake', LD_LIBRARY_PATH: `${folder}:/a` })
    expect((await plan({ model_path: '/m.gguf' }, { env: {}, llamaServer: program })).command).toBe(program)
  })

  test('does not tell its key to those who list processes', async () => {
    expect((await plan({ model_path: '/m.gguf' })).args.join(' ')).not.toContain('sk-fake')
  })

  test('gets its arguments filled in, and the variables of the model', async () => {
    const { args, env } = await plan({
      ...{ model_path: '/m.gguf', slots: 2, context_size: 100, extra_args: ['--alias', '${MODEL_ID}', '--metrics'] },
      env: { CUDA_VISIBLE_DEVICES: '1', LD_LIBRARY_PATH: '/mine', LLAMA_API_KEY: 'sk-other' },
    })
    expect(args.slice(-5)).toEqual(['2', '--kv-unified', '--alias', 'my model', '--metrics'])
    expect(env).toMatchObject({ CUDA_VISIBLE_DEVICES: '1', LD_LIBRARY_PATH: `${folder}:/mine`, LLAMA_API_KEY: 'sk-fake' })
  })

  test('is asked for its abilities with the libraries it needs', async () => {
    const probes: unknown[] = []
    await plan(
      { model_path: '/m.gguf' },
      {
        async abilities(probe) {
          probes.push(probe)
          return { unifiedCache: false, keyFromEnvironment: false }
        },
      },
    )
    expect(probes).toMatchObject([{ command: program, env: { LD_LIBRARY_PATH: `${folder}:/a` } }])
  })

  test.each<[Partial<LaunchPlace>, string]>([
    [
      { env: { PATH: '/nowhere' } },
      'the command "llama-server" was not found; is it installed, and on the PATH?; llama_server_path says where it is',
    ],
    [{ llamaServer: '/no/server' }, 'the command "/no/server" does not exist; llama_server_path says where it is'],
  ])('that is not there is told', async (more, problem) => {
    await expect(plan({ model_path: '/m.gguf' }, more)).rejects.toThrow(problem)
  })
})

describe('the print of a launch', () => {
  const model = { name: 'a', model_path: '/m.gguf', slots: 8, extra_args: ['-x'] }
  const other = { name: 'a', command: 'serve', env: { A: 'b' } }
  test('is the same as long as the process can be', () => {
    const more = { ttl: 5, pin: true, aliases: ['b'], group: 'g', preload: true, load_timeout: 1 }
    expect(launchPrint({ ...model, ...more }, '/s')).toBe(launchPrint(model, '/s'))
    expect(launchPrint({ ...other, ...more, slots: 4 }, '/t')).toBe(launchPrint(other, '/s'))
  })
  test.each<[string, LaunchModel, string | undefined]>([
    ['the file', { ...model, model_path: '/n.gguf' }, '/s'],
    ['the slots', { ...model, slots: 4 }, '/s'],
    ['the arguments', { ...model, extra_args: ['-y'] }, '/s'],
    ['a variable', { ...model, env: { A: 'b' } }, '/s'],
    ['the program', model, '/t'],
    ['the kind', other, '/s'],
  ])('is another when %s is', (_, changed, server) => {
    expect(launchPrint(changed, server)).not.toBe(launchPrint(model, '/s'))
  })
})
