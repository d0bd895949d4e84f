import { afterAll, afterEach, beforeAll, describe } from 'bun:test'
import { type RedisServer, redisMissing, startRedis } from '../testing/redis.ts'
import { testRecords } from './contract.ts'
import { openShared, type SharedInstance } from './redis/testing/open-shared.ts'

describe.skipIf(redisMissing)('Redis', () => {
  let server: RedisServer
  const opened: SharedInstance[] = []
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())
  afterEach(async () => {
    for (const instance of opened.splice(0)) await instance[Symbol.asyncDispose]()
  })

  testRecords('records that are shared through Redis', async () => {
    await server.command('FLUSHALL')
    let at = Date.parse('2026-01-02T03:04:05Z')
    const instance = await openShared(server.url, { now: () => at })
    opened.push(instance)
    return {
      records: instance.records,
      now: () => at,
      advance: ms => {
        at += ms
      },
    }
  })
})
