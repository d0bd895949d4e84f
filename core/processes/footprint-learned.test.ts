import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { learnedFootprints } from './footprint-learned.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-footprints-'))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0
const place = () => join(folder, `${++count}.json`)
const fail = (error: unknown) => {
  throw error
}

test('more counts at once, less little by little', () => {
  const learned = learnedFootprints(place(), fail)
  expect(learned.of('a', 'p')).toBeUndefined()
  learned.learn('a', 'p', 1000)
  expect(learned.of('a', 'p')).toBe(1000)
  learned.learn('a', 'p', 3000)
  expect(learned.of('a', 'p')).toBe(3000)
  learned.learn('a', 'p', 1400)
  expect(learned.of('a', 'p')).toBe(2800)
  for (let i = 0; i < 100; i++) learned.learn('a', 'p', 1400)
  expect(learned.of('a', 'p')).toBeLessThan(1600)
})

test('what was learned with another config does not count', () => {
  const learned = learnedFootprints(place(), fail)
  learned.learn('a', 'p', 3000)
  expect(learned.of('a', 'q')).toBeUndefined()
  learned.learn('a', 'q', 1000)
  expect([learned.of('a', 'q'), learned.of('a', 'p')]).toEqual([1000, undefined])
})

test('the next gatehouse knows it; nobody else may read it', () => {
  const path = place()
  const learned = learnedFootprints(path, fail)
  learned.learn('a', 'p', 1000)
  learned.learn('__proto__', 'p', 2000)
  const next = learnedFootprints(path, fail)
  expect([next.of('a', 'p'), next.of('__proto__', 'p'), next.of('constructor', 'p')]).toEqual([1000, 2000, undefined])
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('what hardly changes is not written', () => {
  const path = place()
  const learned = learnedFootprints(path, fail)
  learned.learn('a', 'p', 10_000)
  const { mtimeMs, ino } = statSync(path)
  for (const bytes of [10_000, 10_100, 9_900]) learned.learn('a', 'p', bytes)
  expect([statSync(path).mtimeMs, statSync(path).ino]).toEqual([mtimeMs, ino])
  learned.learn('a', 'p', 11_000)
  expect(statSync(path).ino).not.toBe(ino)
})

test('those that were learned longest ago are forgotten', () => {
  const path = place()
  const learned = learnedFootprints(path, fail)
  for (let i = 0; i < 600; i++) learned.learn(`m${i}`, 'p', 1000 + i)
  expect(['m0', 'm87', 'm88', 'm599'].map(name => learned.of(name, 'p'))).toEqual([undefined, undefined, 1088, 1599])
  expect(Object.keys(JSON.parse(require('node:fs').readFileSync(path, 'utf8')))).toHaveLength(512)
})

describe('what is broken', () => {
  test.each([
    ['no JSON', 'x'],
    ['a list', '[1]'],
    ['null', 'null'],
    [
      'entries that are none',
      '{"a":null,"b":1,"c":{"print":"p"},"d":{"print":"p","bytes":"9"},"e":{"print":"p","bytes":-1},"f":{"print":"p","bytes":7}}',
    ],
  ])('%s in the file is passed over', (_, text) => {
    const path = place()
    writeFileSync(path, text)
    const learned = learnedFootprints(path, fail)
    expect(['a', 'b', 'c', 'd', 'e'].map(name => learned.of(name, 'p'))).toEqual(Array(5).fill(undefined))
    expect(learned.of('f', 'p')).toBe(text.includes('"f"') ? 7 : (undefined as unknown as number))
    learned.learn('a', 'p', 5000)
    expect(learnedFootprints(path, fail).of('a', 'p')).toBe(5000)
  })

  test('a measure that is none changes nothing', () => {
    const learned = learnedFootprints(place(), fail)
    for (const bytes of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) learned.learn('a', 'p', bytes)
    expect(learned.of('a', 'p')).toBeUndefined()
  })

  test('a file that cannot be written is told, and known until the end', () => {
    const path = place()
    mkdirSync(path)
    const errors: unknown[] = []
    const learned = learnedFootprints(path, error => errors.push(error))
    learned.learn('a', 'p', 5000)
    expect(errors).toHaveLength(1)
    expect(learned.of('a', 'p')).toBe(5000)
  })
})
