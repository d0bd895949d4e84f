import { describe, expect, test } from 'bun:test'
import type { Store } from 'gatehouse'
import { createEpochs } from './epochs.ts'

/** Counters that answer when they are told to; what they do they do at once. */
function slowStore() {
  const values = new Map<string, number>()
  const answers: (() => void)[] = []
  const raised: string[] = []
  let held = false
  const store = {
    state: 'up',
    add(key: string, amount: number) {
      const value = (values.get(key) ?? 0) + amount
      values.set(key, value)
      if (amount > 0) raised.push(key)
      if (!held) return Promise.resolve(value)
      return new Promise(resolve => answers.push(() => resolve(value)))
    },
  } as unknown as Store
  return {
    store,
    /** Keys, in the order they were raised. */
    raised,
    hold: () => {
      held = true
    },
    /** Lets new calls be answered at once, while those before still wait. */
    goOn: () => {
      held = false
    },
    answer: () => {
      for (const answer of answers.splice(0)) answer()
    },
  }
}

/** Epochs of which all counters are there already. */
async function open() {
  const slow = slowStore()
  const clock = { ms: 1_700_000_000_000 }
  const cleared: (string | undefined)[] = []
  const epochs = createEpochs({ store: slow.store, now: () => clock.ms, onCleared: model => cleared.push(model) })
  for (const model of ['m', 'n']) await epochs.learn(model)
  clock.ms += 1000
  return { ...slow, epochs, clock, cleared }
}

describe('epochs', () => {
  test('are known for a second from when they were asked for, not from when the answer came', async () => {
    const { epochs, clock, hold, answer } = await open()
    expect(epochs.of('m')).toBeUndefined()
    expect(await epochs.learn('m')).toBe(true)
    clock.ms += 600
    hold()
    expect(epochs.of('m')).toBeDefined() // and asks again in the background
    clock.ms += 399
    expect(epochs.of('m')).toBeDefined()
    clock.ms += 1
    expect(epochs.of('m')).toBeUndefined()
    answer()
    await Bun.sleep(0)
    expect(epochs.of('m')).toBeDefined()
    clock.ms += 600 // a second after it was asked
    expect(epochs.of('m')).toBeUndefined()
  })

  test('a clock that is set back makes them unknown', async () => {
    const { epochs, clock } = await open()
    await epochs.learn('m')
    clock.ms -= 1
    expect(epochs.of('m')).toBeUndefined()
    expect(await epochs.learn('m')).toBe(true)
  })

  test('what was asked before a clear of one’s own does not count when it is answered after it', async () => {
    const { epochs, clock, hold, goOn, answer } = await open()
    await epochs.learn('m')
    const before = epochs.of('m')
    clock.ms += 600
    hold()
    epochs.of('m') // asks in the background
    goOn()
    const clearing = epochs.clear('m')
    await Bun.sleep(0)
    answer()
    expect(await clearing).toBe(true)
    expect(await epochs.learn('m')).toBe(true)
    const after = epochs.of('m')
    expect(after?.models).toBeGreaterThan(before?.models as number)
    expect(after?.all).toBe(before?.all as number)
  })

  test('a clear while another one is on its way is one of its own', async () => {
    const { epochs, hold, answer, goOn, raised } = await open()
    raised.length = 0
    await epochs.learn('m')
    hold()
    const first = epochs.clear('m')
    await Bun.sleep(0)
    const between = epochs.clear('m')
    expect(epochs.of('m')).toBeUndefined()
    goOn()
    answer()
    expect(await Promise.all([first, between])).toEqual([true, true])
    expect(raised.filter(key => key.startsWith('cache:epoch'))).toHaveLength(2)
    expect(await epochs.learn('m')).toBe(true)
  })

  test('of two clears at once each is told', async () => {
    const { epochs, cleared } = await open()
    await Promise.all([epochs.learn('m'), epochs.learn('n')])
    expect(await Promise.all([epochs.clear('m'), epochs.clear('n'), epochs.clear(undefined)])).toEqual([true, true, true])
    expect(new Set(cleared)).toEqual(new Set(['m', 'n', undefined]))
    expect(await epochs.learn('m')).toBe(true)
  })
})
