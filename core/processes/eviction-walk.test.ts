import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../testing/random.ts'
import { type EvictionLimits, planEviction, type RunningModel, type WantedModel } from './eviction.ts'

type Random = () => number
const pick = <Each>(random: Random, of: readonly Each[]): Each => of[Math.floor(random() * of.length)] as Each
const groups = {
  solo: { exclusive: true, persistent: false },
  keep: { exclusive: false, persistent: true },
  both: { exclusive: true, persistent: true },
}
const groupNames = [undefined, undefined, undefined, 'solo', 'keep', 'both'] as const

/** Every set of some of them. */
const subsets = <Each>(of: readonly Each[]): Each[][] =>
  Array.from({ length: 2 ** of.length }, (_, bits) => of.filter((_, index) => bits & (1 << index)))

/** Straight from the words: who may be beside whom. */
function allowed(
  wanted: WantedModel,
  others: readonly RunningModel[],
  { maxLoadedModels, memoryLimit = Infinity }: EvictionLimits,
): boolean {
  const rules = wanted.group ? groups[wanted.group as keyof typeof groups] : undefined
  if (rules?.exclusive && others.some(({ group }) => group === wanted.group)) return false
  return others.length + 1 <= maxLoadedModels && others.reduce((sum, each) => sum + each.footprint, wanted.footprint) <= memoryLimit
}

const mayGo = ({ pinned, group }: RunningModel, wanted: WantedModel) =>
  !pinned && (group === wanted.group || !groups[group as keyof typeof groups]?.persistent)

describe('against every set there is, in 4000 random places', () => {
  const random = seededRandom(11)
  const place = () => {
    const running = Array.from({ length: Math.floor(random() * 7) }, (_, index): RunningModel => {
      const state = pick(random, ['ready', 'ready', 'ready', 'ready', 'starting', 'stopping'] as const)
      return {
        ...{ model: `m${index}`, state, lastUsedAt: Math.floor(random() * 6), inFlight: state === 'ready' && random() < 0.25 ? 1 : 0 },
        ...{ pinned: random() < 0.15, group: pick(random, groupNames), footprint: Math.floor(random() * 5) },
      }
    })
    const wanted: WantedModel = { model: 'new', group: pick(random, groupNames), footprint: Math.floor(random() * 6) }
    const memoryLimit = random() < 0.7 ? Math.floor(random() * 14) : undefined
    return { wanted, running, limits: { maxLoadedModels: 1 + Math.floor(random() * 6), memoryLimit, groups } }
  }
  const places = Array.from({ length: 4000 }, place)
  const plans = places.map(({ wanted, running, limits }) => planEviction(wanted, running, limits))

  test('all answers occur', () => {
    const kinds = plans.map(plan =>
      'never' in plan ? 'never' : 'wait' in plan ? 'wait' : plan.evict.length > 1 ? 'several' : plan.evict.length,
    )
    for (const kind of ['never', 'wait', 'several', 1, 0]) expect(kinds.filter(each => each === kind).length).toBeGreaterThan(100)
  })

  test('who goes is idle and may go, makes room, and is the best choice', () => {
    for (const [index, { wanted, running, limits }] of places.entries()) {
      const plan = plans[index]
      if (!plan || !('evict' in plan)) continue
      const staying = running.filter(({ state }) => state !== 'stopping')
      const without = (gone: readonly string[]) => staying.filter(({ model }) => !gone.includes(model))
      const candidates = staying.filter(each => each.state === 'ready' && each.inFlight === 0 && mayGo(each, wanted))
      const possible = subsets(candidates).filter(set => allowed(wanted, without(set.map(({ model }) => model)), limits))
      const going = candidates.filter(({ model }) => plan.evict.includes(model))
      expect(going).toHaveLength(plan.evict.length)
      // those of an exclusive group must go however new they are; the choice is among the others
      const free = (set: readonly RunningModel[]) =>
        set.filter(({ group }) => !(group === wanted.group && group && groups[group as 'solo'].exclusive))
      const rank = (set: readonly RunningModel[]) => {
        const ages = free(set)
          .map(each => candidates.toSorted(older).indexOf(each))
          .toSorted((a, b) => a - b)
        return [ages.at(-1) ?? -1, ages.length, ...ages]
      }
      const best = possible.map(rank).toSorted(compare)[0]
      expect(best).toEqual(rank(going))
      if (going.length === 0) expect(allowed(wanted, running, limits)).toBe(true)
    }
  })

  test('never is said when it would not help if all ended, and only then', () => {
    for (const [index, { wanted, running, limits }] of places.entries()) {
      const staying = running.filter(({ state }) => state !== 'stopping')
      const helps = subsets(staying.filter(each => mayGo(each, wanted))).some(set =>
        allowed(
          wanted,
          staying.filter(each => !set.includes(each)),
          limits,
        ),
      )
      expect('never' in (plans[index] as object)).toBe(!helps)
    }
  })

  test('once those it waits for have ended, it waits no more', () => {
    for (const [index, { wanted, running, limits }] of places.entries()) {
      const plan = plans[index]
      if (!plan || !('wait' in plan)) continue
      expect(plan.wait.length).toBeGreaterThan(0)
      const later = running.flatMap((each): RunningModel[] => {
        if (!plan.wait.includes(each.model)) return [each]
        return each.state === 'stopping' ? [] : [{ ...each, state: 'ready', inFlight: 0 }]
      })
      expect(Object.keys(planEviction(wanted, later, limits))).toEqual(['evict'])
    }
  })
})

const older = (a: RunningModel, b: RunningModel) => a.lastUsedAt - b.lastUsedAt || (a.model < b.model ? -1 : 1)
function compare(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? -1) - (b[at] ?? -1)
    if (difference !== 0) return difference
  }
  return 0
}

/** A house with a queue of starts, where everything happens in an order that nobody foresees. */
function walk(seed: number) {
  const random = seededRandom(seed)
  const limits: EvictionLimits = { maxLoadedModels: 1 + Math.floor(random() * 3), memoryLimit: random() < 0.6 ? 6 : undefined, groups }
  const models = Array.from({ length: 6 }, (_, index) => ({
    model: `m${index}`,
    group: pick(random, groupNames),
    footprint: Math.floor(random() * 4),
    pinned: random() < 0.1,
  }))
  let running: RunningModel[] = []
  let queue: WantedModel[] = []
  let now = 0
  const ended = { started: 0, refused: 0 }
  const set = (model: string, change: Partial<RunningModel>) => {
    running = running.map(each => (each.model === model ? { ...each, ...change } : each))
  }

  /** What a supervisor does whenever something has changed: the first in the queue, until it must wait. */
  const settle = () => {
    for (let steps = 0; queue[0]; steps++) {
      expect(steps).toBeLessThan(20)
      const [wanted] = queue
      const plan = planEviction(wanted, running, limits)
      if ('wait' in plan) return
      if ('never' in plan) {
        ended.refused++
        queue = queue.slice(1)
      } else if (plan.evict.length > 0) {
        for (const model of plan.evict) {
          const victim = running.find(each => each.model === model)
          expect(victim).toMatchObject({ state: 'ready', inFlight: 0, pinned: false })
          expect(mayGo(victim as RunningModel, wanted)).toBe(true)
          set(model, { state: 'stopping' })
        }
      } else {
        ended.started++
        queue = queue.slice(1)
        const { pinned } = models.find(({ model }) => model === wanted.model) as (typeof models)[number]
        running = [...running, { ...wanted, pinned, state: 'starting', lastUsedAt: now, inFlight: 0 }]
      }
      holds()
    }
  }
  const holds = () => {
    expect(running.length).toBeLessThanOrEqual(limits.maxLoadedModels)
    expect(running.reduce((sum, { footprint }) => sum + footprint, 0)).toBeLessThanOrEqual(limits.memoryLimit ?? Infinity)
    expect(new Set(running.map(({ model }) => model)).size).toBe(running.length)
    for (const name of ['solo', 'both']) expect(running.filter(({ group }) => group === name).length).toBeLessThanOrEqual(1)
  }
  const ask = () => {
    const asked = pick(random, models)
    const there = running.find(({ model }) => model === asked.model)
    if (there?.state === 'ready') set(asked.model, { inFlight: there.inFlight + 1, lastUsedAt: now })
    else if (there?.state !== 'starting' && !queue.some(({ model }) => model === asked.model)) queue = [...queue, asked]
  }
  /** Something that goes on comes to its end. */
  const end = () => {
    const going = running.filter(({ state, inFlight }) => state !== 'ready' || inFlight > 0)
    if (going.length === 0) return false
    const { model, state, inFlight } = pick(random, going)
    if (state === 'stopping') running = running.filter(each => each.model !== model)
    else if (state === 'starting') set(model, { state: 'ready', inFlight: Math.floor(random() * 3) })
    else set(model, { inFlight: inFlight - 1, lastUsedAt: now })
    return true
  }

  for (now = 1; now <= 200; now++) {
    if (random() < 0.5) ask()
    else end()
    if (random() < 0.03) running = running.slice(1) // it crashes
    settle()
  }
  while (end()) settle()
  settle()
  expect(queue).toEqual([])
  return ended
}

test('500 houses: nothing beyond the limits, nobody busy goes, and who waits gets in when the others end', () => {
  const all = Array.from({ length: 500 }, (_, seed) => walk(seed + 1))
  expect(all.reduce((sum, { started }) => sum + started, 0)).toBeGreaterThan(5000)
  expect(all.reduce((sum, { refused }) => sum + refused, 0)).toBeGreaterThan(100)
})
