import { redisSubscriber } from '../../../stores/redis.ts'
import { seededRandom } from '../../../testing/random.ts'
import type { RedisServer } from '../../../testing/redis.ts'
import { openKeyIndex } from '../../key-index.ts'
import { agreed, until } from './agree.ts'
import { openGate } from './gate.ts'
import { openShared, type SharedInstance, sharedFolder } from './open-shared.ts'
import { walkActions } from './walk-actions.ts'
import { checkAudits, checkIndexes, checkRedis, checkSums, checkTries } from './walk-checks.ts'
import { befallRedis, losses, type Mishap } from './walk-mishaps.ts'

const instanceCount = 3

export interface WalkReport {
  readonly done: number
  readonly refused: number
  readonly mishaps: number
  readonly renumbered: number
}

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

  const { act, makeKey, tries, counts, secrets } = walkActions(random, by => (started[by] as (typeof started)[number]).instance)
  const changes = () => Promise.all(Array.from({ length: 1 + below(5) }, () => act(below(instanceCount))))

  const restart = async (at: number) => {
    const { instance, index } = started[at] as (typeof started)[number]
    index.close()
    await instance.die()
    started[at] = await start(at)
  }
  let befallen = 0
  const befall = async (mishap: Mishap) => {
    befallen++
    if (mishap === 'shut') pick(gates).shut()
    else if (mishap === 'kill instance') await restart(below(instanceCount))
    else if (mishap !== 'freeze') await befallRedis(server, mishap)
    else {
      server.freeze()
      await Promise.all([changes(), Bun.sleep(below(400))])
      server.thaw()
    }
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
  const lossy = losses.some(loss => mishaps.includes(loss))
  checkTries(state, tries, lossy)
  await checkAudits(instances, state, tries)
  if (!lossy) await checkSums(instances)
  checkIndexes(
    started.map(({ index }) => index),
    state,
    secrets(),
  )
  await checkRedis(server, instances)
  const renumbered = instances.flatMap(({ lines }) => lines.filter(({ message }) => message.includes('other ids'))).length

  for (const { instance, index } of started) {
    index.close()
    await instance[Symbol.asyncDispose]()
  }
  for (const gate of gates) await gate[Symbol.asyncDispose]()
  for (const folder of folders) folder[Symbol.dispose]()
  return { ...counts, mishaps: befallen, renumbered }
}
