import { expect } from 'bun:test'
import { allKeys } from '../../contract/under-test.ts'
import type { Records } from '../../records.ts'
import type { SharedInstance } from './open-shared.ts'

/** All that is shared, as an instance tells it without asking Redis. */
export const stateOf = async (records: Records) => ({
  keys: (await allKeys(records)).map(({ lastUsedAt: _, ...key }) => key),
  models: (await Array.fromAsync(records.models.all())).flat(),
  settings: await records.settings.get(),
})

/** Waits until something is so; rejects after ten seconds. */
export async function until(check: () => unknown, what = 'it never came to that'): Promise<number> {
  const from = performance.now()
  while (!(await check())) {
    if (performance.now() - from > 10_000) throw new Error(what)
    await Bun.sleep(2)
  }
  return performance.now() - from
}

/** Waits until all instances tell the same, and answers it. */
export async function agreed(instances: readonly SharedInstance[], why = ''): Promise<Awaited<ReturnType<typeof stateOf>>> {
  const states = () => Promise.all(instances.map(({ records }) => stateOf(records)))
  let found = await states()
  await until(async () => {
    found = await states()
    return found.every(state => Bun.deepEquals(state, found[0]))
  }).catch(() => expect({ why, found }).toEqual({ why, found: found.map(() => found[0] as (typeof found)[number]) }))
  return found[0] as (typeof found)[number]
}
