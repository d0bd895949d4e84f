import { GatewayError } from '../../../errors.ts'
import { admin, keySettings, storedSecret } from '../../contract/under-test.ts'
import { stateOf } from './agree.ts'
import type { SharedInstance } from './open-shared.ts'
import type { Try } from './walk-checks.ts'

/** Random changes, and what whoever asked for them was told. */
export interface WalkActions {
  /** Any change, at one instance. */
  act(by: number): Promise<void>
  makeKey(by: number): Promise<void>
  readonly tries: readonly Try[]
  readonly counts: { readonly done: number; readonly refused: number }
  /** How many secrets there were. */
  secrets(): number
}

const modelNames = ['a', 'b', 'c', 'd']

/** None yet. */
export function walkActions(random: () => number, instanceOf: (by: number) => SharedInstance): WalkActions {
  const below = (most: number) => Math.floor(random() * most)
  const tries: Try[] = []
  const counts = { done: 0, refused: 0 }
  let quotas = 0
  let secrets = 0

  /** Undefined when it was refused. */
  const ask = async <T>(work: () => T): Promise<Awaited<T> | undefined> => {
    try {
      const result = await work()
      counts.done++
      return result
    } catch (error) {
      if (!(error instanceof GatewayError) || error.status !== 503) throw error
      counts.refused++
      return undefined
    }
  }
  const note = (one: Try) => void tries.push(one)
  const makeKey = async (by: number) => {
    const [quota, secret] = [++quotas, ++secrets]
    const name = `key ${quota}`
    const key = await ask(() => instanceOf(by).records.keys.create(keySettings({ name, quota }), storedSecret(secret), admin))
    note({ by, what: 'put', name, quota, enabled: true, version: key?.version })
  }
  const changeKey = async (by: number) => {
    const { records } = instanceOf(by)
    const { keys } = await stateOf(records)
    const kind = random()
    const enabled = random() < 0.7
    const key = keys[below(keys.length)]
    if (!key) return makeKey(by)
    const [quota, secret] = [++quotas, ++secrets]
    if (kind < 0.15) return void (await ask(() => records.keys.rotate(key.id, storedSecret(secret), null, admin)))
    // a key may have another id by the time it is changed; its version tells nothing of that, but its name does
    const result =
      kind < 0.25
        ? await ask(() => records.keys.delete(key.id, admin))
        : await ask(() => records.keys.update(key.id, { quota, enabled }, admin, random() < 0.5 ? key.version : undefined))
    if (result === 'missing' || result === 'conflict') return
    const name = result?.name ?? key.name
    if (kind < 0.25) note({ by, what: 'delete', name, quota, enabled, version: result && result.version + 1 })
    else note({ by, what: 'put', name, quota, enabled, version: result?.version })
  }
  const changeModel = async (by: number) => {
    const { models } = instanceOf(by).records
    const settings = {
      name: modelNames[below(modelNames.length)] as string,
      backend: 'home',
      baseUrl: null,
      upstreamModel: null,
      enabled: random() < 0.5,
    }
    const known = (await Array.fromAsync(models.all())).flat()
    const model = known[below(known.length)]
    const kind = random()
    if (!model || kind < 0.4) await ask(() => models.create(settings, 'admin', admin))
    else if (kind < 0.8) await ask(() => models.update(model.id, settings, admin))
    else await ask(() => models.delete(model.id, admin))
  }
  const act = (by: number) => {
    const kind = random()
    return kind < 0.25 ? makeKey(by) : kind < 0.75 ? changeKey(by) : changeModel(by)
  }
  return { act, makeKey, tries, counts, secrets: () => secrets }
}
