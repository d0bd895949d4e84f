import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from './errors.ts'
import { adminKey, apiKey, forgetSecret, hideSecret, keepHash, makeKey, readHash } from './kept-key.ts'

let parent: string
let folder: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'))
  folder = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const modeOf = (name: string) => (statSync(join(folder, name)).mode & 0o777).toString(8)
const complaintOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).message
}

describe('a key that is made', () => {
  test('says what it is, is another one each time, and is found again by its hash alone', () => {
    const [one, two] = [makeKey(adminKey), makeKey(adminKey)]
    expect(one.secret).toMatch(/^sk-admin-[A-Za-z0-9_-]{32}$/)
    expect(one.secret).not.toBe(two.secret)
    expect(one.sha256).toBe(new Bun.CryptoHasher('sha256').update(one.secret).digest('hex'))
    expect(makeKey(apiKey).secret).toMatch(/^sk-[A-Za-z0-9_-]{32}$/)
  })
})

describe('what the data folder keeps', () => {
  test('is for its owner alone, and takes the place of what stood there', async () => {
    mkdirSync(folder)
    writeFileSync(join(parent, 'elsewhere'), 'mine')
    symlinkSync(join(parent, 'elsewhere'), join(folder, adminKey.hashFile))
    await keepHash(folder, adminKey, 'a1'.repeat(32))
    expect(await hideSecret(folder, adminKey, 'sk-admin-not-real')).toBe(join(folder, 'initial-admin-key'))
    expect(readFileSync(join(folder, 'initial-admin-key'), 'utf8')).toBe('sk-admin-not-real\n')
    expect(['admin-key.sha256', 'initial-admin-key'].map(modeOf)).toEqual(['600', '600'])
    expect(await readHash(folder, adminKey)).toBe('a1'.repeat(32))
    expect(readFileSync(join(parent, 'elsewhere'), 'utf8')).toBe('mine')
    await forgetSecret(folder, adminKey)
    await forgetSecret(folder, adminKey)
    expect(readdirSync(folder)).toEqual(['admin-key.sha256'])
  })

  test('is nothing where there is no folder, and does not make one', async () => {
    expect(await readHash(folder, adminKey)).toBeUndefined()
    expect(existsSync(folder)).toBe(false)
  })

  test.each(['', 'a1', 'A1'.repeat(32), `${'a1'.repeat(32)} x`])('is not taken for none when it is no hash: %p', async text => {
    mkdirSync(folder)
    writeFileSync(join(folder, adminKey.hashFile), text)
    expect(await complaintOf(readHash(folder, adminKey))).toMatch(
      /admin-key\.sha256 does not hold the hash of a key; remove that file to have a new admin key made$/,
    )
  })

  // root may read everything
  test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('is not taken for none when it cannot be read', async () => {
    await keepHash(folder, adminKey, 'a1'.repeat(32))
    chmodSync(join(folder, adminKey.hashFile), 0)
    expect(await complaintOf(readHash(folder, adminKey))).toContain('cannot be read (EACCES)')
  })

  test('names a file that is in the way of the folder', async () => {
    writeFileSync(folder, '')
    expect(await complaintOf(keepHash(folder, adminKey, 'a1'.repeat(32)))).toMatch(
      /cannot be written \(\w+\); choose another folder with DATA_DIR$/,
    )
  })

  test.skipIf(process.getuid?.() !== 0)('belongs to the owner of the folder when root writes it', async () => {
    mkdirSync(folder)
    chownSync(folder, 4711, 4712)
    await keepHash(folder, adminKey, 'a1'.repeat(32))
    const { uid, gid } = statSync(join(folder, adminKey.hashFile))
    expect([uid, gid]).toEqual([4711, 4712])
  })
})
