import { expect, test } from 'bun:test'
import { createStep } from './step.ts'

test('nobody goes on before all have arrived, turn by turn', () => {
  const said: string[] = []
  const step = createStep(3, () => said.push('turn'))
  const arrive = (name: string) => step.arrive(() => said.push(name))
  for (const name of ['a', 'b']) arrive(name)
  expect(said).toEqual([])
  for (const name of ['c', 'a', 'b']) arrive(name)
  expect(said).toEqual(['turn', 'a', 'b', 'c'])
  arrive('c')
  expect(said.slice(4)).toEqual(['turn', 'a', 'b', 'c'])
})

test('who leaves is not waited for', () => {
  const said: string[] = []
  const step = createStep(2, () => said.push('turn'))
  step.arrive(() => said.push('a'))
  step.leave()
  expect(said).toEqual(['turn', 'a'])
  step.leave()
  expect(said).toEqual(['turn', 'a'])
})

test('who arrives again while the others are let go belongs to the next turn', () => {
  const said: string[] = []
  const step = createStep(2, () => said.push('turn'))
  const arrive = (name: string, times: number) =>
    step.arrive(() => {
      said.push(name)
      if (times > 1) arrive(name, times - 1)
    })
  arrive('a', 2)
  arrive('b', 2)
  expect(said).toEqual(['turn', 'a', 'b', 'turn', 'a', 'b'])
})
