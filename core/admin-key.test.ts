import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findAdminKey, resetAdminKey } from './admin-key.ts'
import { adminKey, hideSecret, keepHash, readHash, sha256Of } from './kept-key.ts'

let parent: string
let folder: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'))
  folder = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const find = (key?: string) => findAdminKey({ admin: key === undefined ? {} : { api_key: key }, data_dir: folder })

describe('the admin key', () => {
  test('is made once, and is the same from then on', async () => {
    const made = await find()
    expect(made).toMatchObject({ isNew: true, secret: expect.stringMatching(/^sk-admin-/) })
    expect(existsSync(folder)).toBe(false)
    await keepHash(folder, adminKey, made.sha256)
    expect(await find()).toEqual({ sha256: made.sha256, isNew: false })
  })

  test('that is set is taken over, and counts on when it is no longer set', async () => {
    await keepHash(folder, adminKey, 'a1'.repeat(32))
    const set = await find('sk-admin-0000')
    expect(set).toEqual({ sha256: sha256Of('sk-admin-0000'), isNew: true })
    await keepHash(folder, adminKey, set.sha256)
    expect(await find('sk-admin-0000')).toEqual({ sha256: set.sha256, isNew: false })
    expect(await find()).toEqual({ sha256: set.sha256, isNew: false })
  })
})

describe('a reset', () => {
  test('leaves a new hash, no file with a secret, and answers the key', async () => {
    await keepHash(folder, adminKey, 'a1'.repeat(32))
    await hideSecret(folder, adminKey, 'sk-admin-not-real')
    const secret = await resetAdminKey(folder)
    expect(await readHash(folder, adminKey)).toBe(sha256Of(secret))
    expect(readdirSync(folder)).toEqual(['admin-key.sha256'])
  })

  test.each([
    ['a key', 'a1'.repeat(32)],
    ['none', undefined],
  ])('that cannot be put into effect leaves what was there: %s', async (_, before) => {
    if (before !== undefined) await keepHash(folder, adminKey, before)
    const seen: unknown[] = []
    const use = async () => {
      seen.push(await readHash(folder, adminKey))
      throw new Error('no')
    }
    expect(await resetAdminKey(folder, use).catch((error: Error) => error.message)).toBe('no')
    expect(seen[0]).not.toBe(before)
    expect(await readHash(folder, adminKey)).toBe(before)
  })
})
