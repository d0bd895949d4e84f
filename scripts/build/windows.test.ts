import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { temporaryFolder } from './testing/folder.ts'
import { dist, releaseWanted } from './testing/release.ts'
import { askEcho, startBinary } from './testing/start-binary.ts'
import { findWine, openWine, type Wine } from './wine/wine.ts'

const binary = join(dist, 'gatehouse-windows-x64.exe')
const tools = findWine()

// .ci/run says whether it has it; elsewhere wine is not expected
test.skipIf(process.env.REQUIRE_WINE !== '1')('wine is there where it was installed', () => {
  expect(tools).toBeDefined()
})

describe.skipIf(!tools || !releaseWanted)('the Windows binary, under wine', () => {
  let wine: Wine
  beforeAll(async () => {
    wine = await openWine(tools as NonNullable<typeof tools>)
  }, 240_000)
  afterAll(() => wine?.[Symbol.asyncDispose](), 240_000)

  test('says its version', async () => {
    using folder = temporaryFolder()
    const child = Bun.spawn([wine.command, binary, 'version'], {
      cwd: folder.path,
      env: { ...wine.env },
      timeout: 60_000,
      killSignal: 'SIGKILL',
      stdin: 'ignore',
      stdout: 'pipe',
    })
    expect((await child.stdout.text()).trim()).toBe(`gatehouse ${packageJson.version}`)
    expect(await child.exited).toBe(0)
  }, 90_000)

  test('answers a chat request from an empty folder, and stops at Ctrl+C', async () => {
    using folder = temporaryFolder()
    await using gatehouse = await startBinary([wine.command, binary, 'demo', '--port', '0'], { cwd: folder.path, env: wine.env })
    expect(await askEcho(gatehouse.url, 'one two three')).toBe('one two three')
    expect(await gatehouse.stop()).toBe(0)
  }, 90_000)
})
