import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { storedSecret } from '../contract/under-test.ts'
import { sqliteAudit } from '../sqlite/audit.ts'
import { sqliteModels } from '../sqlite/models.ts'
import { sqliteSettings } from '../sqlite/settings.ts'
import type { SqliteRecords } from '../sqlite.ts'
import { noticeApart } from './apart.ts'
import { keyShelf } from './key-shelf.ts'
import { openMirror } from './mirror.ts'
import { modelShelf } from './model-shelf.ts'
import { isNewer, type Mark, readRow, type SharedRow, writeRow } from './row.ts'
import { settingsShelf } from './settings-shelf.ts'
import { openLocal, sharedFolder } from './testing/open-shared.ts'

const row = (change: Partial<SharedRow> = {}): SharedRow => ({
  version: 1,
  state: 'on',
  at: 5,
  change: 'c1',
  origin: 'c1',
  body: '',
  ...change,
})
const modelBody = (name: string) =>
  JSON.stringify({ name, backend: 'home', baseUrl: null, upstreamModel: null, enabled: true, source: 'admin', createdAt: 1 })

describe('rows', () => {
  test.each(['', '{"name":"a b\\nc \u2028 世界 🙂"}', '{}'])('come back from text: %p', body => {
    const one = row({ version: 2 ** 53 - 1, state: 'gone', at: 0, body })
    expect(readRow(writeRow(one))).toEqual(one)
  })

  test.each(['', ' ', 'x on 0 a b {}', '1 odd 0 a b {}', '1 on 0 a', '-1 on 0 a b {}'])('that nobody here wrote are none: %p', text => {
    expect(readRow(text)).toBeUndefined()
  })

  test('are in one order, wherever they are compared', () => {
    const inOrder: readonly Mark[] = [
      row({ version: 1, change: 'a' }),
      row({ version: 2, change: 'b', at: 1 }),
      row({ version: 2, change: 'c', at: 2 }),
      row({ version: 2, change: 'd', at: 2 }),
      row({ version: 2, change: 'e', at: 0, state: 'off' }),
      row({ version: 3, change: 'f', at: 0 }),
      row({ version: 2, change: 'g', at: 0, state: 'gone' }),
      row({ version: 3, change: 'h', at: 0, state: 'gone' }),
    ]
    for (const [at, one] of inOrder.entries()) for (const [than, other] of inOrder.entries()) expect(isNewer(one, other)).toBe(at > than)
  })
})

describe('the mirror', () => {
  let folder: ReturnType<typeof sharedFolder>
  let local: SqliteRecords
  const open = () => {
    const { database } = local
    const audit = sqliteAudit(database, Date.now)
    const settings = sqliteSettings(database, audit)
    noticeApart(database, settings.get(), 1)
    const models = sqliteModels(database, { audit, now: Date.now })
    return openMirror(database, {
      key: keyShelf(database),
      model: modelShelf(database, models.get),
      settings: settingsShelf(database, settings.get),
    })
  }
  const again = async () => {
    local.close()
    local = await openLocal(folder.path)
    return open()
  }
  beforeEach(async () => {
    folder = sharedFolder()
    local = await openLocal(folder.path)
  })
  afterEach(() => {
    local.close()
    folder[Symbol.dispose]()
  })
  const place = (kind: 'key' | 'model', id: number, change: Partial<SharedRow>) => ({ kind, id, text: writeRow(row(change)) })

  test('knows its position after a restart, and that it was lost', async () => {
    let mirror = open()
    expect(mirror.position).toEqual({ seq: 0, change: '' })
    mirror.take([], { seq: 7, change: 'c7' })
    mirror = await again()
    expect(mirror.position).toEqual({ seq: 7, change: 'c7' })
    mirror.lose()
    mirror = await again()
    expect(mirror.position).toEqual({ seq: 7, change: '' })
  })

  test('takes rows and position as a whole, or nothing', async () => {
    const mirror = open()
    const rows = [place('model', 1, { body: modelBody('a') })]
    const fail = () => {
      throw new Error('in the middle')
    }
    expect(() => mirror.take(rows, { seq: 7, change: 'c7' }, fail)).toThrow('in the middle')
    expect(mirror.position.seq).toBe(0)
    expect(mirror.row('model', 1)).toBeUndefined()
    expect(mirror.take(rows, { seq: 7, change: 'c7' }).touched).toHaveLength(1)
    expect((await again()).row('model', 1)).toEqual(row({ body: modelBody('a') }))
  })

  test('forgets a model whose name another one has now, until that is heard of again, also over a restart', async () => {
    let mirror = open()
    mirror.take([place('model', 1, { body: modelBody('a') }), place('model', 2, { change: 'c2', origin: 'c2', body: modelBody('b') })])
    const taken = mirror.take([place('model', 2, { version: 2, change: 'c3', origin: 'c2', body: modelBody('a') })])
    expect(taken.displaced).toEqual([{ kind: 'model', id: 1, name: 'a' }])
    mirror = await again()
    expect(mirror.mark('model', 1)).toBeUndefined()
    mirror.take([place('model', 1, { version: 2, change: 'c4', body: modelBody('b') })])
    expect([mirror.row('model', 1)?.body, mirror.row('model', 2)?.body]).toEqual([modelBody('b'), modelBody('a')])
  })

  test('passes over what makes no sense, and leaves what is in its way', () => {
    const mirror = open()
    mirror.take([place('model', 1, { body: modelBody('a') })])
    const broken = [
      'nonsense',
      writeRow(row({ change: 'c2', origin: 'c2', body: '{' })),
      writeRow(row({ change: 'c2', origin: 'c2', body: '{"name":"a"}' })),
    ]
    for (const text of broken) expect(mirror.take([{ kind: 'model', id: 2, text }]).broken).toHaveLength(1)
    expect(mirror.take([place('key', 1, { body: JSON.stringify(storedSecret(1)) })]).broken).toHaveLength(1)
    expect(mirror.row('model', 1)?.body).toBe(modelBody('a'))
    expect(mirror.row('model', 2)).toBeUndefined()
  })

  test('never takes back what is gone, nor an older row, nor one of another origin', () => {
    const mirror = open()
    mirror.take([place('model', 1, { version: 3, body: modelBody('a') })])
    expect(mirror.take([place('model', 1, { version: 2, change: 'c0', body: modelBody('b') })]).older).toHaveLength(1)
    expect(mirror.take([place('model', 1, { version: 9, change: 'x', origin: 'x', body: modelBody('b') })]).strangers).toHaveLength(1)
    mirror.take([place('model', 1, { version: 4, state: 'gone', change: 'c4' })])
    expect(mirror.take([place('model', 1, { version: 9, change: 'c9', body: modelBody('b') })]).older).toHaveLength(1)
    expect(mirror.row('model', 1)).toEqual(row({ version: 4, state: 'gone', change: 'c4' }))
    expect(local.models.get(1)).toBeUndefined()
  })
})
