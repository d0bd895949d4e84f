import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Compilation, compile } from './compile.ts'
import { fetchRuntime } from './runtime.ts'
import { type Target, targets } from './targets.ts'
import { temporaryFolder } from './testing/folder.ts'
import { releaseWanted } from './testing/release.ts'
import { findWine, openWine } from './wine/wine.ts'

const builds = temporaryFolder()
afterAll(() => builds[Symbol.dispose]())

/** A program that hashes and counts in threads, compiled as gatehouse is. */
async function compileProbe(name: string, cross?: Compilation['cross']): Promise<string> {
  const probe = join(builds.path, 'probe.ts')
  const outfile = join(builds.path, name)
  await Bun.write(
    probe,
    `import { createWorkers, defaultLimits } from ${JSON.stringify(join(import.meta.dir, '..', '..', 'core', 'workers.ts'))}
    const workers = createWorkers({ log: console, limits: () => ({ ...defaultLimits, digestFrom: 0, budgetMs: 60_000 }) })
    const counts = ['o200k_base', 'cl100k_base'].map(encoding => workers.countTokens(['hello <|endoftext|>'], encoding))
    console.log(JSON.stringify([await workers.digest('abc'), ...(await Promise.all(counts))]))
    await workers.close()`,
  )
  await compile({ outfile, ...(cross && { cross }), sources: [probe, 'workers/entry/worker.ts'] })
  return outfile
}

/** Runs it from an empty folder. */
async function run(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  using empty = temporaryFolder()
  const child = Bun.spawn([...command], {
    cwd: empty.path,
    env: { HOME: empty.path, ...env },
    timeout: 90_000,
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { stdout, stderr, code: await child.exited }
}

const expected = [
  'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  { tokens: 8, exact: true, method: 'o200k_base' },
  { tokens: 7, exact: true, method: 'cl100k_base' },
]

// the file that tinypool starts is named at run time: only a compiled program shows whether it is there
test('threads start inside a binary, with no sources near', async () => {
  const { stdout, stderr, code } = await run([await compileProbe('probe')])
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual(expected)
  expect(code).toBe(0)
}, 120_000)

const tools = findWine()

describe.skipIf(!tools || !releaseWanted)('under wine', () => {
  test('and inside one for Windows, where paths look different', async () => {
    const { platform, runtime } = targets.find(({ machine }) => machine === 'pe-x64') as Target
    const probe = await compileProbe('probe.exe', { platform, runtime: await fetchRuntime(runtime) })
    await using wine = await openWine(tools as NonNullable<typeof tools>)
    const { stdout, code } = await run([wine.command, probe], wine.env)
    expect(JSON.parse(stdout)).toEqual(expected)
    expect(code).toBe(0)
  }, 300_000)
})
