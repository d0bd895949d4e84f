import { luaScript } from './script.ts'

/** A place is a member of a sorted set, its score the time it lapses, by the clock of Redis. */
const now = `
local at = tonumber(ARGV[2])
if not at then
  local time = redis.call('TIME')
  at = time[1] * 1000 + math.floor(time[2] / 1000)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at)
`

/** Takes one place: `lasts, at, limit, member`. The member may have been told of already. */
export const takeScript = luaScript(`${now}
redis.call('ZREM', KEYS[1], ARGV[4])
local held = redis.call('ZCARD', KEYS[1])
if held >= tonumber(ARGV[3]) then return {0, held} end
redis.call('ZADD', KEYS[1], at + ARGV[1], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {1, held + 1}
`)

/** Says what one instance holds, whatever Redis knew of it: `lasts, at, prefix of its members, members`. */
export const tellScript = luaScript(`${now}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(member, 1, #ARGV[3]) == ARGV[3] then redis.call('ZREM', KEYS[1], member) end
end
for index = 4, #ARGV do redis.call('ZADD', KEYS[1], at + ARGV[1], ARGV[index]) end
if #ARGV >= 4 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
`)
