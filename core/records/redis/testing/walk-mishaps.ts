import type { RedisServer } from '../../../testing/redis.ts'

/** What may happen besides changes: to connections, to instances, and to what Redis knows. */
export type Mishap = RedisMishap | 'shut' | 'kill instance' | 'freeze'

type RedisMishap = 'cut' | 'script flush' | 'snapshot' | 'restart' | 'flush'

/** After these Redis has forgotten what it was told, or some of it. */
export const losses: readonly Mishap[] = ['restart', 'flush']

/** Lets it happen to Redis. */
export async function befallRedis(server: RedisServer, mishap: RedisMishap): Promise<void> {
  if (mishap === 'cut') for (const type of ['normal', 'pubsub']) await server.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
  else if (mishap === 'script flush') await server.command('SCRIPT', 'FLUSH')
  else if (mishap === 'snapshot') await server.command('SAVE')
  else if (mishap === 'restart') await server.restart()
  else await server.command('FLUSHALL')
}
