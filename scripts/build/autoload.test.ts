import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { compile, compileFlags } from './compile.ts'
import { temporaryFolder } from './testing/folder.ts'
import { startBinary } from './testing/start-binary.ts'

/**
 * What a runtime could pick up in the folder it is started in: code to run first, and an environment.
 * The folder is the home too, for the runtime's own file there.
 */
const preload = 'preload = ["./evil.ts"]\n'
const dotenv = 'FROM_DOTENV=yes\nAPI_KEY=from-dotenv\nBUN_CONFIG_MAX_HTTP_REQUESTS=7\nBUN_OPTIONS=--preload ./evil.ts\n'
const trap = {
  'bunfig.toml': preload,
  '.bunfig.toml': preload,
  'evil.ts': `await Bun.write('evil-ran', 'yes')`,
  '.env': dotenv,
  '.env.local': dotenv,
  '.env.production': dotenv,
  '.env.development': dotenv,
}

const builds = temporaryFolder()
afterAll(() => builds[Symbol.dispose]())

async function openTrap() {
  const folder = temporaryFolder()
  for (const [name, content] of Object.entries(trap)) await Bun.write(join(folder.path, name), content)
  const env = { PATH: process.env.PATH ?? '', HOME: folder.path, XDG_CONFIG_HOME: folder.path }
  return Object.assign(folder, { env, evilRan: () => existsSync(join(folder.path, 'evil-ran')) })
}

describe('a small program in a folder with a trap', () => {
  const probe = join(builds.path, 'probe.ts')

  async function run(flags: readonly string[], outfile: string) {
    await Bun.write(probe, `console.log(process.env.FROM_DOTENV ?? 'nothing')`)
    await compile({ outfile, flags, sources: [probe] })
    using folder = await openTrap()
    const { stdout } = Bun.spawnSync([outfile], { cwd: folder.path, env: folder.env, timeout: 20_000 })
    return { saw: stdout.toString().trim(), evilRan: folder.evilRan() }
  }

  // the proof that the trap works: without it, the tests below could not fail
  test('springs it when compiled as Bun does by default', async () => {
    const flags = compileFlags.filter(flag => !flag.startsWith('--no-compile-autoload'))
    expect(await run(flags, join(builds.path, 'open'))).toEqual({ saw: 'yes', evilRan: true })
  })

  test('does not when compiled with our flags', async () => {
    expect(await run(compileFlags, join(builds.path, 'closed'))).toEqual({ saw: 'nothing', evilRan: false })
  })
})

describe('the binary in a folder with a trap', () => {
  const named = process.env.GATEHOUSE_BINARY
  const binary = named ? resolve(named) : join(builds.path, 'gatehouse')

  test('runs no preload, and .env is read by nobody but our own config', async () => {
    if (!named) await compile({ outfile: binary })
    using folder = await openTrap()
    await using gatehouse = await startBinary([binary, 'demo', '--port', '0'], { cwd: folder.path, env: folder.env })
    // our config takes its own names from .env …
    const models = (headers: Record<string, string>) => fetch(`${gatehouse.url}/v1/models`, { headers })
    expect((await models({})).status).toBe(401)
    expect((await models({ authorization: 'Bearer from-dotenv' })).status).toBe(200)
    // … and with the runtime's 7 in its environment it would not have started itself anew with a limit of its own
    if (process.platform === 'linux') {
      const environment = readFileSync(`/proc/${gatehouse.pid}/environ`, 'latin1').split('\0')
      expect(environment).toContain('BUN_CONFIG_MAX_HTTP_REQUESTS=20000')
    }
    expect(await gatehouse.stop()).toBe(0)
    expect(folder.evilRan()).toBe(false)
  })
})
