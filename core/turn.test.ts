import { expect, test } from 'bun:test'
import { createTurns } from './turn.ts'

test('answers of one turn leave together at its end, those of the next one at the end of that', async () => {
  const turns = createTurns()
  const order: string[] = []
  const first = [turns.end(), turns.end(), turns.end()]
  for (const end of first) end.then(() => order.push('answer'))
  await Promise.resolve()
  expect(order).toEqual([])
  order.push('the turn goes on')
  await first[2]
  const next = turns.end()
  expect(next).not.toBe(first[0] as Promise<void>)
  await next
  expect(order).toEqual(['the turn goes on', 'answer', 'answer', 'answer'])
})

test('nobody waits for more than 64, and nobody is forgotten', async () => {
  const turns = createTurns()
  const order: string[] = []
  const ends = Array.from({ length: 150 }, () => turns.end())
  setImmediate(() => order.push('the end of the turn'))
  expect(new Set(ends).size).toBe(3)
  const left = ends.map((end, i) => end.then(() => order.push(i < 128 ? 'early' : 'late')))
  await Promise.all(left)
  await new Promise(setImmediate)
  expect(order.slice(0, 128)).toEqual(Array(128).fill('early'))
  expect(order.filter(name => name === 'late')).toHaveLength(22)
})

test('thousands in crowds of every size: all leave, none before it came', async () => {
  const turns = createTurns()
  let left = 0
  let came = 0
  for (let crowd = 0; crowd < 140; crowd++) {
    const all = Array.from({ length: crowd }, () => {
      came++
      return turns.end().then(() => left++)
    })
    expect(left).toBe(came - crowd)
    await Promise.all(all)
    expect(left).toBe(came)
  }
})
