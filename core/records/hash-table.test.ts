import { expect, test } from 'bun:test'
import { seededRandom } from '../testing/random.ts'
import { createHashTable } from './hash-table.ts'

const hashOf = (number: number): Uint8Array => new Bun.CryptoHasher('sha256').update(`fake ${number}`).digest()

/** Hashes that want to be in the same few places, which those of keys never do for long. */
const crowded = (number: number): Uint8Array => {
  const hash = hashOf(number)
  hash.fill(0, 0, 4)
  hash[0] = number % 3 === 0 ? 0xff : number % 5
  hash[1] = number % 3 === 0 ? 0x03 : 0 // the last place, so that the next one is the first
  return hash
}

test.each([
  ['as they are', hashOf],
  ['that want the same places', crowded],
] as const)('random changes, hashes %s: it knows what a Map would know', (_, hash) => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed)
    const below = (limit: number) => Math.floor(random() * limit)
    const table = createHashTable()
    const model = new Map<number, number>()
    for (let step = 0; step < 3000; step++) {
      const number = below(900)
      const value = (1 + below(300)) * (random() < 0.2 ? -1 : 1)
      if (random() < 0.6) {
        table.set(hash(number), value)
        model.set(number, value)
      } else {
        table.forget(value)
        for (const [known, its] of model) if (its === value) model.delete(known)
      }
      expect(table.size).toBe(model.size)
      if (step % 100 === 0) for (let at = 0; at < 900; at++) expect(table.find(hash(at))).toBe(model.get(at) ?? 0)
    }
  }
})

test('it grows with what is put in', () => {
  const table = createHashTable()
  for (let number = 1; number <= 5000; number++) table.set(hashOf(number), number)
  for (let number = 1; number <= 5000; number++) expect(table.find(hashOf(number))).toBe(number)
  for (let number = 5001; number <= 6000; number++) expect(table.find(hashOf(number))).toBe(0)
})

test('all 32 bytes count', () => {
  const table = createHashTable()
  table.set(hashOf(1), 7)
  for (let at = 0; at < 32; at++) {
    const other = hashOf(1)
    other[at] = (other[at] as number) ^ 1
    expect(table.find(other)).toBe(0)
  }
})
