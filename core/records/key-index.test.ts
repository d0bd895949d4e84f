import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { admin, keySettings, storedSecret } from './contract/under-test.ts'
import { type IndexedKey, openKeyIndex } from './key-index.ts'
import type { KeyChange, KeyRecord, KeyRecords } from './keys.ts'
import { openRecords, type SqliteRecords } from './sqlite.ts'

let folder: string
let records: SqliteRecords
let at: number
const now = () => at
beforeEach(async () => {
  at = 1000
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-records-'))
  records = await openRecords({ path: join(folder, 'gatehouse.db'), now })
})
afterEach(() => {
  records.close()
  rmSync(folder, { recursive: true, force: true })
})

const hash = (secret: number) => Uint8Array.fromHex(storedSecret(secret).sha256)

describe('the index', () => {
  test('knows the keys that were there, and each change at once', async () => {
    const { id } = await records.keys.create(keySettings({ name: 'first', allowedIps: ['::1'] }), storedSecret(1), admin)
    const index = await openKeyIndex(records.keys, { now })
    expect(index.find(hash(1))).toMatchObject({ id, name: 'first', allowedIps: ['::1'], version: 1 })
    expect(index.get(id)).toBe(index.find(hash(1)) as IndexedKey)
    expect(index.find(hash(2))).toBeUndefined()
    await records.keys.update(id, { name: 'renamed' }, admin)
    expect(index.find(hash(1))).toMatchObject({ name: 'renamed', version: 2 })
    const second = await records.keys.create(keySettings(), storedSecret(2), admin)
    expect(index.find(hash(2))?.id).toBe(second.id)
    expect(index.size).toBe(2)
    await records.keys.delete(id, admin)
    expect(index.find(hash(1))).toBeUndefined()
    expect(index.get(id)).toBeUndefined()
    expect(index.size).toBe(1)
    index.close()
    await records.keys.delete(second.id, admin)
    expect(index.size).toBe(1)
  })

  test('gives the same object until the key changes', async () => {
    const { id } = await records.keys.create(keySettings(), storedSecret(1), admin)
    const index = await openKeyIndex(records.keys, { now })
    const key = index.find(hash(1)) as IndexedKey
    await records.keys.used(new Map([[id, 5]]))
    await records.keys.create(keySettings(), storedSecret(2), admin)
    expect(index.find(hash(1))).toBe(key)
    await records.keys.update(id, { enabled: false }, admin)
    expect(index.find(hash(1))).not.toBe(key)
  })

  test('holds nothing of a secret', async () => {
    await records.keys.create(keySettings(), storedSecret(1), admin)
    await records.keys.rotate(1, storedSecret(2), 9000, admin)
    const index = await openKeyIndex(records.keys, { now })
    const text = JSON.stringify(index.get(1))
    for (const { sha256, prefix } of [storedSecret(1), storedSecret(2)]) {
      expect(text).not.toContain(sha256)
      expect(text).not.toContain(prefix)
    }
  })

  test('after a rotation the secret before is good until its time is over, also after a start', async () => {
    const { id } = await records.keys.create(keySettings(), storedSecret(1), admin)
    const early = await openKeyIndex(records.keys, { now })
    await records.keys.rotate(id, storedSecret(2), 5000, admin)
    const late = await openKeyIndex(records.keys, { now })
    const known = (index: typeof early) => [1, 2, 3, 4].map(secret => index.find(hash(secret))?.id)
    for (const index of [early, late]) {
      at = 4999
      expect(known(index)).toEqual([id, id, undefined, undefined])
      at = 5000
      expect(known(index)).toEqual([undefined, id, undefined, undefined])
    }
    at = 6000
    await records.keys.rotate(id, storedSecret(3), 9000, admin)
    expect(known(early)).toEqual([undefined, id, id, undefined])
    await records.keys.rotate(id, storedSecret(4), null, admin)
    expect(known(early)).toEqual([undefined, undefined, undefined, id])
    expect(known(early)).toEqual(known(late))
  })

  test('says who is disabled and who has expired, by the clock', async () => {
    await records.keys.create(keySettings({ expiresAt: 5000 }), storedSecret(1), admin)
    await records.keys.create(keySettings({ enabled: false, expiresAt: 1 }), storedSecret(2), admin)
    const index = await openKeyIndex(records.keys, { now })
    const standing = (id: number) => index.standing(index.get(id) as IndexedKey)
    expect([standing(1), standing(2)]).toEqual(['valid', 'disabled'])
    at = 4999
    expect(standing(1)).toBe('valid')
    at = 5000
    expect(standing(1)).toBe('expired')
    await records.keys.update(1, { expiresAt: null }, admin)
    expect(standing(1)).toBe('valid')
  })
})

/** Keys whose reading the test steers, as those of a Redis are read while others change them. */
function steeredKeys() {
  const listeners = new Set<(change: KeyChange) => void>()
  const reads: { part(keys: readonly KeyRecord[]): void; end(): void; fail(): void }[] = []
  const began = [Promise.withResolvers<void>()]
  const keys = {
    onChange(listener: (change: KeyChange) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    all() {
      const stream = new ReadableStream<readonly KeyRecord[]>({
        start(controller) {
          reads.push({
            part: part => controller.enqueue(part),
            end: () => controller.close(),
            fail: () => controller.error(new Error('lost')),
          })
        },
      })
      began.push(Promise.withResolvers())
      began.at(-2)?.resolve()
      return stream
    },
  } as unknown as KeyRecords
  return {
    keys,
    tell: (change: KeyChange) => {
      for (const listener of listeners) listener(change)
    },
    /** The read of this number, once it was begun. */
    async read(number: number) {
      await began[number]?.promise
      return reads[number] as (typeof reads)[number]
    },
    get listeners() {
      return listeners.size
    },
  }
}

const keyOf = (id: number, change: Partial<KeyRecord> = {}): KeyRecord => ({
  ...keySettings(),
  ...storedSecret(id),
  id,
  previousSha256: null,
  graceUntil: null,
  createdAt: 0,
  lastUsedAt: null,
  version: 1,
  ...change,
})

/** Whatever was told or read has arrived. */
const settle = () => new Promise(resolve => setTimeout(resolve, 5))

describe('while keys are read', () => {
  test('changes that were heard of meanwhile count', async () => {
    const steered = steeredKeys()
    const opening = openKeyIndex(steered.keys, { now })
    const read = await steered.read(0)
    read.part([keyOf(1), keyOf(2)])
    await settle()
    steered.tell({ kind: 'put', key: keyOf(1, { name: 'newer', version: 2 }) }) // of a part that was read
    steered.tell({ kind: 'put', key: keyOf(4, { name: 'newer', version: 3 }) }) // of one that was not
    steered.tell({ kind: 'delete', id: 2 })
    steered.tell({ kind: 'delete', id: 3 }) // which is on its way
    read.part([keyOf(3), keyOf(4, { version: 2 })])
    read.end()
    const index = await opening
    expect([1, 2, 3, 4].map(id => index.get(id)?.name)).toEqual(['newer', undefined, undefined, 'newer'])
    expect([1, 2, 3, 4].map(id => index.find(hash(id))?.id)).toEqual([1, undefined, undefined, 4])
  })

  test('again, those known until then stay in use, and those that are gone go at the end', async () => {
    const steered = steeredKeys()
    const opening = openKeyIndex(steered.keys, { now })
    const first = await steered.read(0)
    first.part([keyOf(1), keyOf(2)])
    first.end()
    const index = await opening
    steered.tell({ kind: 'all' })
    const second = await steered.read(1)
    second.part([keyOf(2, { version: 5 })])
    await settle()
    expect([1, 2].map(id => index.get(id)?.version)).toEqual([1, 1])
    steered.tell({ kind: 'put', key: keyOf(3) })
    expect(index.get(3)?.version).toBe(1)
    second.end()
    await settle()
    expect([1, 2, 3].map(id => index.get(id)?.version)).toEqual([undefined, 5, 1])
  })

  test('a word that there may be more is followed by one more reading, also at the start', async () => {
    const steered = steeredKeys()
    let open = false
    const opening = openKeyIndex(steered.keys, { now }).then(index => {
      open = true
      return index
    })
    const first = await steered.read(0)
    steered.tell({ kind: 'all' })
    steered.tell({ kind: 'all' })
    first.end()
    const second = await steered.read(1)
    await settle()
    expect(open).toBe(false)
    second.part([keyOf(1)])
    second.end()
    expect((await opening).size).toBe(1)
  })

  test('a failure at the start is told; later it is tried again', async () => {
    const steered = steeredKeys()
    const failing = openKeyIndex(steered.keys, { now })
    ;(await steered.read(0)).fail()
    expect(failing).rejects.toThrow('lost')
    await settle()
    expect(steered.listeners).toBe(0)

    const opening = openKeyIndex(steered.keys, { now, retryMs: 1 })
    const first = await steered.read(1)
    first.part([keyOf(1)])
    first.end()
    const index = await opening
    steered.tell({ kind: 'all' })
    ;(await steered.read(2)).fail()
    const again = await steered.read(3)
    expect(index.size).toBe(1)
    again.part([keyOf(1), keyOf(2)])
    again.end()
    await settle()
    expect(index.size).toBe(2)
    index.close()
  })
})
