import type { Connection } from './connection.ts'
import { RedisUnusable, replyCode } from './reasons.ts'
import { luaScript } from './script.ts'

/** All that is asked of Redis: what may not be done in a script may not be done outside of one either. */
const probe = luaScript(`
redis.call('SET', KEYS[1], redis.call('TIME')[1], 'PX', 1000)
redis.call('INCRBYFLOAT', KEYS[1], 0.5)
redis.call('GET', KEYS[1])
redis.call('SCAN', 0, 'MATCH', KEYS[1], 'COUNT', 1)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'field', 1)
redis.call('HGET', KEYS[1], 'field')
redis.call('HMGET', KEYS[1], 'field', 'other')
redis.call('HGETALL', KEYS[1])
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('EXISTS', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('ZADD', KEYS[1], 1, 'member')
redis.call('ZCARD', KEYS[1])
redis.call('ZRANGE', KEYS[1], 0, -1)
redis.call('ZREM', KEYS[1], 'member')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', 1)
redis.call('DEL', KEYS[1])
return 1
`)

/**
 * Proves that a connection can do what we need. Without it a Redis that is full, read-only, or forbids one thing would be
 * up and down by turns.
 */
export async function checkConnection(connection: Connection): Promise<void> {
  if (await isOneOfMany(connection)) throw new RedisUnusable('it is a node of a Redis Cluster, which is not supported')
  await connection.send('eval', [probe.text, 1, 'gatehouse:probe'])
  await connection.send('evalsha', [probe.sha, 1, 'gatehouse:probe'])
}

/** True in a cluster of several masters. One that has a single master answers like any other Redis. */
async function isOneOfMany(connection: Connection): Promise<boolean> {
  const ask = async (command: string, subject: string, pattern: RegExp) =>
    pattern.exec(
      String(
        await connection.send(command, [subject]).catch(error => {
          if (replyCode(error) === undefined) throw error
          return '' // an older Redis, or a user who may not ask
        }),
      ),
    )?.[1]
  if ((await ask('info', 'cluster', /cluster_enabled:(\d)/)) !== '1') return false
  return Number((await ask('cluster', 'info', /cluster_size:(\d+)/)) ?? 1) > 1
}
