import { Database } from 'bun:sqlite'
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Limits } from '../memory/memory.ts'
import { randomOf } from '../testing/random.ts'
import { testShelf } from './contract.ts'
import { answerOf, isAnswerOf, keyOf, lengthOf, roomy } from './testing/answers.ts'
import { openForTest } from './testing/open-sqlite.ts'
import { startFilling } from './testing/start-filling.ts'

const root = mkdtempSync(join(tmpdir(), 'gatehouse-shelf-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const newFolder = () => {
  const folder = join(root, String(++folders))
  mkdirSync(folder)
  return folder
}
const newPath = () => join(newFolder(), 'cache.db')

/** What SQLite says of a file that nobody has open. */
function ask<T>(path: string, sql: string): T {
  using database = new Database(path, { readwrite: true })
  return Object.values(database.query(sql).get() as object)[0] as T
}

for (const [when, settle] of [
  ['at once', () => {}],
  ['when it is written', undefined],
] as const) {
  const openOne = async (limits: Limits) => {
    const { shelf, clock } = openForTest(newPath(), limits)
    const advance = (ms: number) => {
      clock.ms += ms
    }
    return { shelf, advance }
  }
  testShelf(`sqlite, ${when},`, openOne, settle)
}

describe('what is on the disk', () => {
  test('is there after a restart, as much older as time has passed', async () => {
    const path = newPath()
    const clock = { ms: 1_700_000_000_000 }
    {
      await using on = openForTest(path, { clock })
      for (let at = 0; at < 30; at++) on.set(at, lengthOf(at), at)
    }
    expect(readdirSync(join(path, '..'))).toEqual(['cache.db'])
    clock.ms += 86_400_000
    await using on = openForTest(path, { clock })
    for (let at = 0; at < 30; at++) expect(isAnswerOf(on.get(at), lengthOf(at), at)).toBe(true)
    expect(on.get(1)).toMatchObject({ head: answerOf().head, ageMs: 86_400_000 })
    expect(await on.shelf.clear()).toBe(30)
    expect(on.lines).toEqual([])
  })

  test('stays cleared after a restart', async () => {
    const path = newPath()
    {
      await using on = openForTest(path)
      for (let at = 0; at < 200; at++) on.set(at, 1000, at, at % 2 ? 'odd' : 'even')
      await on.shelf.flush()
      for (let at = 200; at < 210; at++) on.set(at, 1000, at, 'even') // not written yet
      on.set(0, 1000, 0, 'even') // both
      expect(await on.shelf.clear('even')).toBe(110)
    }
    await using on = openForTest(path)
    expect(Array.from({ length: 210 }, (_, at) => at).filter(on.has)).toEqual(Array.from({ length: 100 }, (_, at) => 2 * at + 1))
  })

  test('is not found from the moment of a clear on, however long that takes', async () => {
    await using on = openForTest(newPath())
    for (let at = 0; at < 3000; at++) {
      on.set(at, 1000, at)
      if (at % 500 === 499) await on.shelf.flush()
    }
    const clearing = on.shelf.clear('m')
    expect(Array.from({ length: 3000 }, (_, at) => at).some(on.has)).toBe(false)
    on.set(7, 500, 3)
    expect(on.shelf.clear('m')).resolves.toBe(1)
    on.set(8, 500, 3)
    expect(await clearing).toBe(3000)
    await on.shelf.flush()
    expect(Array.from({ length: 3000 }, (_, at) => at).filter(on.has)).toEqual([8])
  })

  test('is for its owner alone', async () => {
    const path = newPath()
    await using on = openForTest(path)
    on.set('a')
    await on.shelf.flush()
    for (const name of readdirSync(join(path, '..'))) expect(statSync(join(path, '..', name)).mode & 0o077).toBe(0)
  })

  test.each(Array.from({ length: 8 }, (_, round) => round))('survives kill -9, everything that was flushed (%d)', async round => {
    const path = newPath()
    let next = 0
    for (let life = 0; life < 3; life++) {
      const filling = startFilling(path, next)
      await filling.safe()
      await Bun.sleep(randomOf(round * 3 + life)() * 150)
      const last = await filling.kill()
      expect(last).toBeGreaterThan(next)
      await using on = openForTest(path)
      for (let at = 0; at <= last; at++) if (!isAnswerOf(on.get(at), lengthOf(at), at)) throw new Error(`${at} of ${last} is missing`)
      expect(on.lines).toEqual([])
      next = last + 1
    }
    expect(ask<string>(path, 'PRAGMA integrity_check')).toBe('ok')
  })

  test('what was half written when the process was killed takes no room', async () => {
    const path = newPath()
    const filling = startFilling(path, 0)
    await filling.safe()
    await filling.kill()
    {
      using database = new Database(path, { readwrite: true })
      const { last } = database.query('SELECT max(id) AS last FROM answers').get() as { last: number }
      for (let piece = 0; piece < 5; piece++)
        database.run('INSERT OR REPLACE INTO pieces VALUES (?, 1, ?)', [(last + 1) * 1024 + piece, new Uint8Array(262_144)])
    }
    {
      await using on = openForTest(path)
      on.set('next')
      await on.shelf.flush()
      expect(on.has('next')).toBe(true)
    }
    expect(ask<number>(path, 'SELECT count(*) FROM pieces WHERE id / 1024 NOT IN (SELECT id FROM answers)')).toBe(0)
  })
})

describe('room', () => {
  test('by entries: the one not used for the longest time goes, also after a restart', async () => {
    const path = newPath()
    const all = (on: { has(name: string): boolean }, names: string) => Array.from(names).filter(on.has).join('')
    {
      await using on = openForTest(path, { maxEntries: 4 })
      for (const name of 'abcd') on.set(name)
      await on.shelf.flush()
      expect(on.has('a')).toBe(true)
      on.shelf.touch(keyOf('b'))
      on.set('e')
      await on.shelf.flush()
      on.shelf.touch(keyOf('a')) // noted when it is closed
    }
    await using on = openForTest(path, { maxEntries: 2 })
    await on.shelf.flush()
    expect(all(on, 'abcde')).toBe('ae')
  })

  test('by bytes: the file stays within them', async () => {
    const path = newPath()
    const maxBytes = 4 * 1024 * 1024
    const random = randomOf(5)
    {
      await using on = openForTest(path, { maxBytes })
      for (let at = 0; at < 1500; at++) {
        on.set(at, Math.floor(20 * 2500 ** random()), at)
        on.shelf.touch(keyOf(0))
        if (at % 50 === 0) await on.shelf.flush()
        if (at > 1) on.get(1) // a use as well
      }
      await on.shelf.flush()
      expect([0, 1, 1499, 100].map(on.has)).toEqual([true, true, true, false])
      expect(statSync(path).size).toBeLessThanOrEqual(maxBytes * 1.25)
    }
    expect(ask<number>(path, 'SELECT sum(length) FROM answers')).toBeGreaterThan(maxBytes / 2)
    expect(ask<string>(path, 'PRAGMA integrity_check')).toBe('ok')
  })

  test('a lower limit gives it back', async () => {
    const path = newPath()
    await using on = openForTest(path)
    for (let at = 0; at < 300; at++) {
      on.set(at, 40_000, at)
      if (at % 100 === 99) await on.shelf.flush()
    }
    on.shelf.limit({ ...roomy, maxBytes: 1024 * 1024 })
    const deadline = performance.now() + 10_000
    while (statSync(path).size > 5 * 1024 * 1024 && performance.now() < deadline) await Bun.sleep(5)
    expect(statSync(path).size).toBeLessThan(5 * 1024 * 1024)
    expect([on.has(0), on.has(299)]).toEqual([false, true])
  })

  test('what is too old goes by itself', async () => {
    const path = newPath()
    const clock = { ms: 1_700_000_000_000 }
    {
      await using on = openForTest(path, { clock, ttlMs: 10_000 })
      for (let at = 0; at < 100; at++) on.set(at)
      await on.shelf.flush()
      clock.ms += 10_000
      on.set('new')
    }
    expect(ask<number>(path, 'SELECT count(*) FROM answers')).toBe(1)
    expect(ask<number>(path, 'SELECT count(*) FROM pieces')).toBe(1)
  })

  test('for an answer that is longer than a quarter of it there is none, and no more than that waits', async () => {
    await using on = openForTest(newPath(), { maxBytes: 4 * 1024 * 1024 })
    on.set('long', 1024 * 1024 + 1)
    for (const name of 'abcd') on.set(name, 300_000)
    expect(['long', 'a', 'b', 'c', 'd'].filter(on.has).join('')).toBe('abc')
    on.set('a', 400_000) // in the place of the one before
    expect(on.get('a')?.body.length).toBe(400_000)
    await on.shelf.flush()
    on.set('d', 300_000)
    await on.shelf.flush()
    expect(['a', 'b', 'c', 'd'].every(on.has)).toBe(true)
  })

  test('where there is less than an empty file takes, nothing is kept and nothing hangs', async () => {
    await using on = openForTest(newPath(), { maxBytes: 5000 })
    on.set('a')
    await on.shelf.flush()
    expect(on.has('a')).toBe(false)
    expect(on.lines).toEqual([])
  })
})

describe('the event loop', () => {
  test('turns while a long answer is written', async () => {
    await using on = openForTest(newPath())
    on.set('long', 16 * 1024 * 1024)
    let turns = 0
    const turn = () => {
      turns++
      timer = setImmediate(turn)
    }
    let timer = setImmediate(turn)
    await on.shelf.flush()
    clearImmediate(timer)
    expect(turns).toBeGreaterThan(4)
    expect(isAnswerOf(on.get('long'), 16 * 1024 * 1024, 0)).toBe(true)
  })

  test.each([
    ['by model', 'm'],
    ['by everything', undefined],
  ])('a long answer that is cleared in the middle of it (%s) does not come back', async (_, model) => {
    const path = newPath()
    {
      await using on = openForTest(path)
      on.set('before')
      await on.shelf.flush()
      on.set('long', 16 * 1024 * 1024)
      const flushed = on.shelf.flush()
      await Bun.sleep(5)
      expect(await on.shelf.clear(model)).toBe(2)
      await flushed
      expect([on.has('long'), on.has('before')]).toEqual([false, false])
      on.set('after')
    }
    expect(ask<number>(path, 'SELECT count(*) FROM pieces')).toBe(1)
    await using on = openForTest(path)
    expect(['long', 'before', 'after'].filter(on.has)).toEqual(['after'])
  })
})

test('a long random walk: the same as a plain map', async () => {
  const path = newPath()
  const clock = { ms: 1_700_000_000_000 }
  const random = randomOf(11)
  const model = new Map<string, { readonly length: number; readonly seed: number; readonly model: string; readonly at: number }>()
  let on = openForTest(path, { clock, ttlMs: 60_000 })
  const names = ['one', 'two', 'three']
  for (let step = 0; step < 4000; step++) {
    clock.ms += Math.floor(random() * 200)
    const name = String(Math.floor(random() * 150))
    const dice = random()
    if (dice < 0.5) {
      const known = model.get(name)
      const found = on.get(name)
      if (!known || clock.ms - known.at >= 60_000) expect(found).toBeUndefined()
      else if (!isAnswerOf(found, known.length, known.seed) || found?.head.model !== known.model) throw new Error(`step ${step}`)
    } else if (dice < 0.9) {
      const entry = { length: lengthOf(Math.floor(random() * 1000)), seed: step, model: names[Number(name) % 3] as string, at: clock.ms }
      on.set(name, entry.length, entry.seed, entry.model)
      model.set(name, entry)
    } else if (dice < 0.95) await on.shelf.flush()
    else if (dice < 0.97) await Bun.sleep(random() * 20)
    else if (dice < 0.98) {
      const which = names[step % 3] as string
      const there = [...model].filter(([, { model, at }]) => model === which && clock.ms - at < 60_000).length
      const cleared = (await on.shelf.clear(which)) ?? -1
      expect(cleared).toBeGreaterThanOrEqual(there) // some may be too old already
      for (const [name, entry] of model) if (entry.model === which) model.delete(name)
    } else if (dice < 0.983) {
      await on.shelf.clear()
      model.clear()
    } else if (dice < 0.99) {
      await on.shelf.close()
      on = openForTest(path, { clock, ttlMs: 60_000 })
    }
  }
  expect(on.lines).toEqual([])
  await on.shelf.close()
  expect(ask<string>(path, 'PRAGMA integrity_check')).toBe('ok')
}, 60_000)
