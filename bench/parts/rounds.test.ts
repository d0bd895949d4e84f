import { expect, test } from 'bun:test'
import { addedBy, inTurn, noiseOf, ratiosOf } from './rounds.ts'

const ways = ['direct', 'gatehouse'].map(name => ({ name, url: '', rival: false }))
const pick = (value: number) => value

test('the ways take turns, and the direct one ends each round', async () => {
  const order: string[] = []
  await inTurn(ways, 2, async ({ name }, round) => order.push(`${name} ${round}`))
  expect(order).toEqual(['direct 0', 'gatehouse 0', 'direct 0', 'direct 1', 'gatehouse 1', 'direct 1'])
})

test('what is added counts against both direct runs, round by round; what they differ by is the noise', async () => {
  const values = [1, 10, 3, 2, 9, 4, 3, 30, 3]
  const rounds = await inTurn(ways, 3, async () => values.shift() as number)
  expect(addedBy(rounds, 'gatehouse', pick)).toEqual([8, 6, 27])
  expect(noiseOf(rounds, pick)).toBe(2)
  expect(ratiosOf(rounds, 'gatehouse', 'direct', pick)).toEqual([10, 4.5, 10])
})
