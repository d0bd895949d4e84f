import { expect, test } from 'bun:test'
import { createSchedule, type ScheduleOrder } from './schedule.ts'

const take = (count: number, order: ScheduleOrder) => {
  const next = createSchedule(order)
  return Array.from({ length: count }, next)
}

test('a constant schedule leaves evenly, and a million departures later still exactly', () => {
  const order = { ratePerSecond: 300, arrivals: 'constant', seed: 1 } as const
  expect(take(4, order)).toEqual([0, 1000 / 300, 2000 / 300, 3000 / 300])
  expect(take(1_000_001, { ...order, ratePerSecond: 3000 }).at(-1)).toBeCloseTo(1_000_000 / 3, 6)
})

test('the same seed gives the same schedule, another seed another one', () => {
  const order = { ratePerSecond: 100, arrivals: 'poisson', seed: 7 } as const
  expect(take(100, order)).toEqual(take(100, order))
  expect(take(100, order)).not.toEqual(take(100, { ...order, seed: 8 }))
})

test('a Poisson schedule has the rate, and gaps as independent people leave them', () => {
  const times = take(100_000, { ratePerSecond: 2000, arrivals: 'poisson', seed: 3 })
  const gaps = times.map((at, i) => at - (times[i - 1] ?? 0))
  expect(gaps.every(gap => gap >= 0)).toBe(true)
  expect((times.at(-1) as number) / times.length).toBeCloseTo(0.5, 2)
  // an exponential distribution: 1 − 1/e of the gaps are shorter than the mean, and the variance is its square
  expect(gaps.filter(gap => gap < 0.5).length / gaps.length).toBeCloseTo(1 - 1 / Math.E, 2)
  expect(gaps.reduce((sum, gap) => sum + (gap - 0.5) ** 2, 0) / gaps.length).toBeCloseTo(0.25, 1)
})

test('twice the rate, half the time', () => {
  const order = { arrivals: 'poisson', seed: 5 } as const
  const [slow, fast] = [take(50, { ...order, ratePerSecond: 10 }), take(50, { ...order, ratePerSecond: 20 })]
  expect(fast.map(at => at * 2).map(at => at.toFixed(6))).toEqual(slow.map(at => at.toFixed(6)))
})
