import { describe, expect, test } from 'bun:test'
import { type EvictionLimits, planEviction, type RunningModel, type WantedModel } from './eviction.ts'
import { evictionPolicy, type SupervisedModel } from './eviction-policy.ts'

const GiB = 1024 ** 3
const ready = (model: string, lastUsedAt: number, more: Partial<RunningModel> = {}): RunningModel => ({
  ...{ model, lastUsedAt, state: 'ready', inFlight: 0, pinned: false, footprint: GiB },
  ...more,
})
const wanted = (more: Partial<WantedModel> = {}): WantedModel => ({ model: 'new', footprint: GiB, ...more })
const two: EvictionLimits = { maxLoadedModels: 2 }
const memory = (gib: number): EvictionLimits => ({ maxLoadedModels: 100, memoryLimit: gib * GiB })

describe('max_loaded_models', () => {
  test('there is room', () => {
    expect(planEviction(wanted(), [], two)).toEqual({ evict: [] })
    expect(planEviction(wanted(), [ready('a', 1)], two)).toEqual({ evict: [] })
  })
  test('the one that was not used for the longest time goes, and only that', () => {
    expect(planEviction(wanted(), [ready('a', 3), ready('b', 1)], two)).toEqual({ evict: ['b'] })
    expect(planEviction(wanted(), [ready('a', 3), ready('b', 1), ready('c', 2)], { maxLoadedModels: 3 })).toEqual({ evict: ['b'] })
  })
  test('a lower limit lets several go', () => {
    expect(planEviction(wanted(), [ready('a', 3), ready('b', 1), ready('c', 2)], two)).toEqual({ evict: ['b', 'c'] })
  })
  test.each<[string, Partial<RunningModel>]>([
    ['busy', { inFlight: 1 }],
    ['pinned', { pinned: true }],
    ['starting', { state: 'starting' }],
  ])('one that is %s stays, and a newer one goes', (_, more) => {
    expect(planEviction(wanted(), [ready('a', 3), ready('b', 1, more)], two)).toEqual({ evict: ['a'] })
  })
  test('waits for those that are busy or starting, the oldest first', () => {
    const running = [ready('a', 3, { inFlight: 1 }), ready('b', 4, { state: 'starting' })]
    expect(planEviction(wanted(), running, two)).toEqual({ wait: ['a'] })
  })
  test('waits for one that is stopping, and lets nobody else go for it', () => {
    const running = [ready('a', 3), ready('b', 1, { state: 'stopping' })]
    expect(planEviction(wanted(), running, two)).toEqual({ wait: ['b'] })
  })
  test('is never when all that run are pinned', () => {
    const running = [ready('a', 3, { pinned: true }), ready('b', 1, { pinned: true, inFlight: 2 })]
    expect(planEviction(wanted(), running, two)).toEqual({
      never: 'has no place: max_loaded_models is 2, and 2 models that are not unloaded for others',
      blockedBy: ['a', 'b'],
    })
  })
  test('one that runs already, or still, is not for us to start', () => {
    expect(planEviction(wanted(), [ready('new', 3, { state: 'stopping' })], two)).toEqual({ wait: ['new'] })
  })
})

describe('memory_limit', () => {
  test('as few go as must, the newest of them as old as can be', () => {
    const running = [
      ready('old', 1, { footprint: GiB }),
      ready('big', 2, { footprint: 4 * GiB }),
      ready('new-big', 3, { footprint: 4 * GiB }),
    ]
    expect(planEviction(wanted({ footprint: 2 * GiB }), running, memory(9))).toEqual({ evict: ['big'] })
    expect(planEviction(wanted({ footprint: 5 * GiB }), running, memory(9))).toEqual({ evict: ['old', 'big'] })
  })
  test('two old ones go before one that was just used', () => {
    const running = [ready('a', 1), ready('b', 2), ready('just-used', 9, { footprint: 2 * GiB })]
    expect(planEviction(wanted({ footprint: 2 * GiB }), running, memory(4))).toEqual({ evict: ['a', 'b'] })
  })
  test('what is not known takes no room', () => {
    expect(planEviction(wanted({ footprint: 0 }), [ready('a', 1)], memory(1))).toEqual({ evict: [] })
  })
  test('is never when it is larger than the limit, with the numbers', () => {
    expect(planEviction(wanted({ footprint: 12.34 * GiB }), [ready('a', 1)], memory(8))).toEqual({
      never: 'needs 12.3 GiB of memory, and memory_limit is 8 GiB',
      blockedBy: [],
    })
  })
  test('is never beside what is pinned, with the numbers', () => {
    const running = [ready('a', 1, { footprint: 6 * GiB, pinned: true }), ready('b', 2, { footprint: GiB })]
    expect(planEviction(wanted({ footprint: 3 * GiB }), running, memory(8))).toEqual({
      never: 'needs 3 GiB of memory, and memory_limit is 8 GiB, of which 6 GiB are held by a model that is not unloaded for others',
      blockedBy: ['a'],
    })
  })
  test('both limits count', () => {
    const running = [ready('a', 1, { footprint: GiB / 2 }), ready('b', 2, { footprint: 3 * GiB })]
    expect(planEviction(wanted({ footprint: 2 * GiB }), running, { maxLoadedModels: 2, memoryLimit: 4 * GiB })).toEqual({ evict: ['b'] })
    expect(planEviction(wanted({ footprint: GiB / 4 }), running, { maxLoadedModels: 2, memoryLimit: 4 * GiB })).toEqual({ evict: ['a'] })
  })
})

describe('groups', () => {
  const limits: EvictionLimits = {
    maxLoadedModels: 3,
    groups: {
      big: { exclusive: true, persistent: false },
      keep: { exclusive: false, persistent: true },
      one: { exclusive: true, persistent: true },
    },
  }
  test('others of an exclusive group go, though there is room, and nobody else', () => {
    const running = [ready('a', 9, { group: 'big' }), ready('b', 1)]
    expect(planEviction(wanted({ group: 'big' }), running, limits)).toEqual({ evict: ['a'] })
    expect(planEviction(wanted({ group: 'keep' }), running, limits)).toEqual({ evict: [] })
    expect(planEviction(wanted({ group: 'unknown' }), running, limits)).toEqual({ evict: [] })
  })
  test('those of an exclusive group that are busy are waited for, though others could go', () => {
    expect(planEviction(wanted({ group: 'big' }), [ready('a', 9, { group: 'big', inFlight: 1 }), ready('b', 1)], limits)).toEqual({
      wait: ['a'],
    })
    expect(planEviction(wanted({ group: 'big' }), [ready('a', 9, { group: 'big', state: 'stopping' })], limits)).toEqual({ wait: ['a'] })
  })
  test('a pinned one of an exclusive group keeps the others out', () => {
    expect(planEviction(wanted({ group: 'big' }), [ready('a', 9, { group: 'big', pinned: true })], limits)).toEqual({
      never: 'must not run beside another model of the exclusive group big, which is pinned',
      blockedBy: ['a'],
    })
  })
  test('persistent ones go for each other alone', () => {
    const running = [ready('a', 1, { group: 'keep' }), ready('b', 2, { group: 'keep' }), ready('c', 3)]
    expect(planEviction(wanted(), running, limits)).toEqual({ evict: ['c'] })
    expect(planEviction(wanted({ group: 'big' }), running, limits)).toEqual({ evict: ['c'] })
    expect(planEviction(wanted({ group: 'keep' }), running, limits)).toEqual({ evict: ['a'] })
    const full = [...running.slice(0, 2), ready('c', 3, { group: 'one' })]
    expect(planEviction(wanted(), full, limits)).toMatchObject({ blockedBy: ['a', 'b', 'c'] })
    expect(planEviction(wanted({ group: 'one' }), full, limits)).toEqual({ evict: ['c'] })
  })
})

describe('as the supervisor asks', () => {
  const process = (model: string, more: Partial<SupervisedModel> = {}): SupervisedModel => ({
    ...{ model, state: 'ready', lastUsedAt: 1, inFlight: 0, memoryBytes: undefined },
    ...more,
  })
  const rules = (model: string) => ({ pinned: model === 'pinned', group: undefined, footprint: model === 'new' ? 2 * GiB : GiB })
  const policy = evictionPolicy(memory(4), rules)

  test('what is expected counts until it is ready, and what it really has when that is more', () => {
    expect(policy('new', [process('a', { state: 'starting', memoryBytes: 5 }), process('b')])).toEqual({ evict: [] })
    expect(policy('new', [process('a', { memoryBytes: 3 * GiB })])).toEqual({ evict: ['a'] })
  })
  test('the other answers are short', () => {
    expect(policy('new', [process('a', { memoryBytes: 3 * GiB, inFlight: 1 })])).toEqual({ wait: true })
    expect(policy('new', [process('pinned', { memoryBytes: 3 * GiB })])).toEqual({
      never: 'needs 2 GiB of memory, and memory_limit is 4 GiB, of which 3 GiB are held by a model that is not unloaded for others',
    })
  })
})
