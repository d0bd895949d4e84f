import { describeLevel, perMs } from '../memory.ts'
import type { Bucket, Level, Take } from '../store.ts'
import type { RedisLink } from './link.ts'
import { luaScript, type Script } from './script.ts'

/** The arithmetic of `memory.ts`, so that both decide alike. Numbers go as text, because a script's own are cut to integers. */
const bucketScript = (change: string): Script =>
  luaScript(`
local perMs, burst, amount, at = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not at then
  local time = redis.call('TIME')
  at = time[1] * 1000 + time[2] / 1000
end
local level = 0
local kept = redis.call('GET', KEYS[1])
if kept then
  local keptLevel, keptAt = string.match(kept, '^(%S+) (%S+)$')
  level = math.max(0, keptLevel - math.max(0, at - keptAt) * perMs)
end
${change}
local value = string.format('%.17g %.17g', level, at)
if perMs > 0 then
  local ttl = math.ceil(level / perMs) + 60000
  redis.call('SET', KEYS[1], value, 'PX', math.max(1, math.min(ttl, 1e15)))
else
  redis.call('SET', KEYS[1], value)
end
return {1, string.format('%.17g', level)}
`)

const takeScript = bucketScript(`
if level + amount > burst + 1e-9 then return {0, string.format('%.17g', level)} end
level = level + amount
`)

const giveBackScript = bucketScript('level = math.max(0, level - amount)')

/**
 * Takes from a leaky bucket in one step. Without `at` the clock is that of Redis, which is the same for all instances;
 * a clock that is set back lets nothing drain for that long and locks nobody out. The key outlives the empty bucket by
 * a minute, so that a clock that is set forward does not empty it.
 */
export async function takeFromBucket(link: RedisLink, key: string, bucket: Bucket, cost: number, at?: number): Promise<Take> {
  const { done, level } = await change(link, takeScript, key, bucket, cost, at)
  if (!done) return { allowed: false, retryAfterMs: (level + cost - bucket.burst) / perMs(bucket) }
  return { allowed: true, ...describeLevel(level, bucket) }
}

/** Returns to a leaky bucket, in one step and by the same clock. */
export async function giveBackToBucket(link: RedisLink, key: string, bucket: Bucket, amount: number, at?: number): Promise<Level> {
  return describeLevel((await change(link, giveBackScript, key, bucket, amount, at)).level, bucket)
}

async function change(link: RedisLink, script: Script, key: string, bucket: Bucket, amount: number, at?: number) {
  const answer = await link.run(script, [key], [perMs(bucket), bucket.burst, amount, at ?? ''])
  const [done, level] = answer as readonly [number, Uint8Array]
  return { done: done === 1, level: Number(level) }
}
