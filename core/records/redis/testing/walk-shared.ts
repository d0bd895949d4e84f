import { GatewayError } from '../../../errors.ts'
import { redisSubscriber } from '../../../stores/redis.ts'
import { seededRandom } from '../../../testing/random.ts'
import type { RedisServer } from '../../../testing/redis.ts'
import { admin, keySettings, storedSecret } from '../../contract/under-test.ts'
import { openKeyIndex } from '../../key-index.ts'
import { agreed, stateOf, until } from './agree.ts'
import { openGate } from './gate.ts'
import { openShared, type SharedInstance, sharedFolder } from './open-shared.ts'
import { checkAudits, checkIndexes, checkRedis, checkSums, checkTries, type Try } from './walk-checks.ts'

/** What may happen besides changes; after the last three Redis has forgotten what it was told. */
export type Mishap = 'cut' | 'freeze' | 'shut' | 'kill instance' | 'script flush' | 'snapshot' | 'restart' | 'flush'

export interface WalkReport {
  readonly done: number
  readonly refused: number
  readonly mishaps: number
  readonly renumbered: number
}

const instanceCount = 3
const modelNames = ['a', 'b', 'c', 'd']

/** Random changes by several instances at once with mishaps in between, until all agree again. */
export async function walkShared(server: RedisServer, seed: number, rounds: number, mishaps: readonly Mishap[]): Promise<WalkReport> {
  await server.command('FLUSHALL')
  await server.command('SAVE') // or a restart would bring back what an earlier walk saved
  const random = seededRandom(seed)
  const below = (most: number) => Math.floor(random() * most)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const folders = Array.from({ length: instanceCount }, sharedFolder)
  const gates = await Promise.all(folders.map(() => openGate(server.port)))
  const start = async (at: number) => {
    const url = gates[at]?.url as string
    const instance = await openShared(url, {
      folder: folders[at]?.path as string,
      pollMs: 20,
      subscribe: redisSubscriber(url),
      answerWithinMs: 250,
    })
    return { instance, index: await openKeyIndex(instance.records.keys) }
  }
  const started = await Promise.all(folders.map((_, at) => start(at)))
  const tries: Try[] = []
  const counts = { done: 0, refused: 0, mishaps: 0, renumbered: 0 }
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
    const key = await ask(() => started[by]?.instance.records.keys.create(keySettings({ name, quota }), storedSecret(secret), admin))
    note({ by, what: 'put', name, quota, enabled: true, version: key?.version })
  }
  const changeKey = async (by: number) => {
    const { records } = (started[by] as (typeof started)[number]).instance
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
    const { models } = (started[by] as (typeof started)[number]).instance.records
    const settings = { name: pick(modelNames), backend: 'home', baseUrl: null, upstreamModel: null, enabled: random() < 0.5 }
    const known = (await Array.fromAsync(models.all())).flat()
    const model = known[below(known.length)]
    const kind = random()
    if (!model || kind < 0.4) await ask(() => models.create(settings, 'admin', admin))
    else if (kind < 0.8) await ask(() => models.update(model.id, settings, admin))
    else await ask(() => models.delete(model.id, admin))
  }
  const act = () => {
    const [by, kind] = [below(instanceCount), random()]
    return kind < 0.25 ? makeKey(by) : kind < 0.75 ? changeKey(by) : changeModel(by)
  }
  const changes = () => Promise.all(Array.from({ length: 1 + below(5) }, act))

  const restart = async (at: number) => {
    const { instance, index } = started[at] as (typeof started)[number]
    index.close()
    await instance.die()
    started[at] = await start(at)
  }
  const befall = async (mishap: Mishap) => {
    counts.mishaps++
    if (mishap === 'cut') for (const type of ['normal', 'pubsub']) await server.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
    else if (mishap === 'freeze') {
      server.freeze()
      await Promise.all([changes(), Bun.sleep(below(400))])
      server.thaw()
    } else if (mishap === 'shut') pick(gates).shut()
    else if (mishap === 'kill instance') await restart(below(instanceCount))
    else if (mishap === 'script flush') await server.command('SCRIPT', 'FLUSH')
    else if (mishap === 'snapshot') await server.command('SAVE')
    else if (mishap === 'restart') await server.restart()
    else await server.command('FLUSHALL')
  }
  const mend = async () => {
    for (const gate of gates) gate.open()
    await Promise.all(started.map(({ instance }) => instance.until('up')))
  }

  for (let round = 0; round < rounds; round++) {
    await changes()
    if (random() < 0.15) await befall(pick(mishaps))
    if (random() < 0.1) await mend()
  }
  await mend()
  const instances: SharedInstance[] = started.map(({ instance }) => instance)
  const isTaken = async (by: number) => {
    await makeKey(by)
    return tries.at(-1)?.version !== undefined
  }
  for (const by of instances.keys()) await until(() => isTaken(by), 'no change is taken')
  const state = await agreed(instances, `seed ${seed}`)
  const losses = mishaps.includes('restart') || mishaps.includes('flush')
  checkTries(state, tries, losses)
  await checkAudits(instances, state, tries)
  if (!losses) await checkSums(instances)
  checkIndexes(
    started.map(({ index }) => index),
    state,
    secrets,
  )
  await checkRedis(server, instances)
  counts.renumbered = instances.flatMap(({ lines }) => lines.filter(({ message }) => message.includes('other ids'))).length

  for (const { instance, index } of started) {
    index.close()
    await instance[Symbol.asyncDispose]()
  }
  for (const gate of gates) await gate[Symbol.asyncDispose]()
  for (const folder of folders) folder[Symbol.dispose]()
  return counts
}
