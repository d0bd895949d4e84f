import { expect, test } from 'bun:test'
import { compare } from './compare.ts'
import { context, fromRounds, once } from './figure.ts'
import { printComparison, printSaved } from './print.ts'
import { columnOf, type Results } from './results.ts'

const machine = { cpu: 'A processor', cores: 2, memory_gb: 8, os: 'An OS' }
const saved: Results = {
  date: '2026-01-02T03:04:05.000Z',
  machine,
  versions: { gatehouse: '0.0.1' },
  load_before: 0,
  parts: { latency: { added_ms: 1, ratio: 0.5, direct_per_second: 100, noise_ms: 0.1, lost_ms: 3 } },
  noise: { latency: { added_ms: 0.3 } },
}
const verdicts = (figures: Parameters<typeof compare>[1]) =>
  Object.fromEntries(compare('latency', figures, saved)?.changes.map(({ name, verdict }) => [name, verdict]) ?? [])

test('only what lies beyond the noise of both runs is a change', () => {
  const added = (value: number, noise: number) => verdicts({ added_ms: once(value, 'lower', { amount: noise }) }).added_ms
  expect(added(1.29, 0.01)).toBe('same') // then ±0.3
  expect(added(1.31, 0.01)).toBe('worse')
  expect(added(0.69, 0.01)).toBe('better')
  expect(added(1.31, 0.4)).toBe('same') // now ±0.4
  expect(added(0.59, 0.4)).toBe('better')
})

test('each figure knows which way is better', () => {
  const ratio = (value: number) => verdicts({ ratio: once(value, 'higher', { amount: 0.01 }) }).ratio
  expect(ratio(0.6)).toBe('better')
  expect(ratio(0.4)).toBe('worse')
  expect(ratio(0.52)).toBe('same') // less than a twentieth
  expect(verdicts({ direct_per_second: fromRounds([150, 150, 150], 'neither') }).direct_per_second).toBe('moved')
  expect(verdicts({ noise_ms: context(5) })).toEqual({})
})

test('figures and parts that only one side has are named, nothing more', () => {
  const comparison = compare('latency', { brand_new_ms: once(1, 'lower', { share: 0.1 }), noise_ms: context(1) }, saved)
  expect(comparison).toEqual({
    changes: [],
    unknown: ['brand_new_ms'],
    missing: ['added_ms', 'ratio', 'direct_per_second', 'lost_ms'],
  })
  expect(compare('open-loop', {}, saved)).toBeUndefined()
  expect(compare('latency', {}, undefined)).toBeUndefined()
})

test('results without noise, and holes in them, are no obstacle', () => {
  const { noise: _, ...older } = saved
  const holes = { ...older, parts: { latency: { added_ms: null as unknown as number, ratio: 0.5 } } }
  const figures = { added_ms: once(1, 'lower', { amount: 0 }), ratio: once(0.9, 'higher', { amount: 0 }) }
  expect(compare('latency', figures, holes)?.changes.map(({ name, verdict }) => [name, verdict])).toEqual([['ratio', 'better']])
})

test('the noise of rounds is half of what lies between the best and the worst', () => {
  expect(fromRounds([3, 1, 2, 9, 2], 'lower')).toEqual({ value: 2, better: 'lower', noise: 4 })
  expect(once(50, 'lower', { share: 0.1 })).toEqual({ value: 50, better: 'lower', noise: 5 })
})

test('what is saved compares with itself as the same', () => {
  const figures = { a: fromRounds([1, 2, 3], 'lower'), b: once(4, 'higher', { share: 0.1 }) }
  const parts = [['latency', figures]] as const
  const again = { ...saved, parts: columnOf(parts, 'value'), noise: columnOf(parts, 'noise') }
  expect(again.parts).toEqual({ latency: { a: 2, b: 4 } })
  expect(again.noise).toEqual({ latency: { a: 1, b: 0.4 } })
  expect(compare('latency', figures, again)).toMatchObject({
    changes: [{ verdict: 'same' }, { verdict: 'same' }],
    unknown: [],
    missing: [],
  })
})

test('the worst comes first, and what did not change is only counted', () => {
  const text = printComparison(
    compare(
      'latency',
      {
        added_ms: once(0.5, 'lower', { amount: 0.1 }),
        ratio: once(0.4, 'higher', { amount: 0 }),
        direct_per_second: once(50, 'neither', { amount: 0 }),
        lost_ms: once(3, 'lower', { amount: 0 }),
      },
      saved,
    ),
  )
  expect(text.split('\n')).toEqual([
    '  WORSE  ratio              0.500 → 0.400  (−20 %, noise ±0.025)',
    '  better added_ms           1.0 → 0.500  (−50 %, noise ±0.300)',
    '  moved  direct_per_second  100 → 50.0  (−50 %, noise ±5.0)',
    '  against the saved results: 1 of 4 within the noise; 1 not measured now: noise_ms; the direct way moved too, so it was the machine: trust ratios and what is added, not amounts',
  ])
})

test('a part that was never saved, and another machine, are said', () => {
  expect(printComparison(undefined)).toContain('nothing to compare with')
  expect(printSaved(undefined, machine, 'usual')).toContain('--save')
  expect(printSaved(saved, machine, 'usual')).toBe('compared with the saved results of 2026-01-02 (gatehouse 0.0.1)')
  expect(printSaved(saved, { ...machine, cores: 64 }, 'usual')).toContain('another machine (A processor, 2 cores)')
  expect(printSaved(saved, machine, 'short')).toContain('not compared')
})
