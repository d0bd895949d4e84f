import { afterEach, beforeEach, expect, test } from 'bun:test'
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { claimDataFolder } from '../data-folder.ts'
import { ConfigError } from '../errors.ts'
import { startClaimer } from './testing/start-claimer.ts'
import { whileUnused } from './unused.ts'

let parent: string
let folder: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'gatehouse-unused-'))
  folder = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

test('works in a folder that is not there yet, and tells of no start', async () => {
  expect(await whileUnused(folder, async () => 'done')).toBe('done')
  expect(readdirSync(join(folder, 'run'))).toEqual(['serve.lock'])
  expect(statSync(join(folder, 'run', 'serve.lock')).mode & 0o777).toBe(0o600)
})

test('keeps others from starting meanwhile, and lets them start afterwards, also when the work has failed', async () => {
  await using other = startClaimer()
  const won = await whileUnused(folder, () => other.ask({ do: 'claim', folder }))
  expect(won).toMatchObject({ won: false })
  expect(await whileUnused(folder, () => Promise.reject(new Error('no'))).catch((error: Error) => error.message)).toBe('no')
  expect(await other.ask({ do: 'claim', folder })).toEqual({ won: true })
})

test('does nothing while another process serves, and nothing while this one does', async () => {
  const worked: string[] = []
  const work = async () => void worked.push('worked')
  await using other = startClaimer()
  await other.ask({ do: 'claim', folder })
  expect(await whileUnused(folder, work)).toBe('in use')
  await other.ask({ do: 'release' })
  const own = await claimDataFolder(folder)
  expect(await whileUnused(folder, work)).toBe('in use')
  own.release()
  expect(worked).toEqual([])
})

test('says what is in the way', async () => {
  writeFileSync(folder, '')
  const error = await whileUnused(folder, async () => {}).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).message).toContain('a file is in the way')
})

test.skipIf(process.getuid?.() !== 0)('what root makes in the folder of a service, the service may use', async () => {
  mkdirSync(folder)
  chownSync(folder, 4711, 4712)
  await whileUnused(folder, async () => {})
  for (const name of ['run', 'run/serve.lock']) expect(statSync(join(folder, name)).uid).toBe(4711)
})
