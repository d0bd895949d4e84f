import { luaScript } from './script.ts'

/*
 * One hash for each key and period. Under the name of an instance stands what it says of itself: a version, what it has
 * settled, what it has open, what of that is estimated, and what others have charged it with since it fell silent. Under
 * `sum` stands what is used and open in all. Numbers are text: a script's own would lose digits.
 */
const parts = `
local hash, me = KEYS[1], ARGV[1]
local sumUsed, sumOpen = 0, 0
local function read(text)
  local version, used, open, estimate, lapsed = string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  return tonumber(version), tonumber(used), tonumber(open), tonumber(estimate), tonumber(lapsed)
end
-- one entry and the sum
local function write(name, version, used, open, estimate, lapsed)
  local entry = string.format('%.17g %.17g %.17g %.17g %.17g', version, used, open, estimate, lapsed)
  redis.call('HSET', hash, name, entry, 'sum', string.format('%.17g %.17g', sumUsed, sumOpen))
end
local function readSum(text)
  local used, open = string.match(text or '0 0', '^(%S+) (%S+)$')
  sumUsed, sumOpen = tonumber(used), tonumber(open)
end
-- What an instance has open that gives no sign of life any more, or has been started again since, is charged as estimated
-- until it says itself how things stand. Half a version more, so that it has to.
local function lapse()
  local all = redis.call('HGETALL', hash)
  for index = 1, #all, 2 do
    local name = all[index]
    if name ~= 'sum' and name ~= me then
      local version, used, open, estimate, lapsed = read(all[index + 1])
      local sign = open > 0 and (redis.call('GET', 'gatehouse:presence:' .. name) or '')
      if sign and version < tonumber(string.match(sign, '^(%S+) ') or 'inf') then
        sumUsed, sumOpen = sumUsed + estimate, sumOpen - open
        write(name, math.floor(version) + 0.5, used, 0, 0, lapsed + estimate)
      end
    end
  end
end
`

/**
 * Changes what an instance has settled and open, if its version is the one before and, with a limit, if it fits:
 * `me, version, used, open, estimate, limit or '', begin of the day or '', time or ''`. Answers with what came of it, what is
 * used and open in all, the same of this instance, and the time.
 */
export const stepScript = luaScript(`${parts}
local at = tonumber(ARGV[8])
if ARGV[7] ~= '' then
  if not at then
    local time = redis.call('TIME')
    at = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  if at < tonumber(ARGV[7]) or at >= ARGV[7] + 86400000 then return {-2, 0, 0, 0, 0, at} end
end
local fields = redis.call('HMGET', hash, me, 'sum')
if not fields[1] then return {-1, 0, 0, 0, 0, 0} end
local version, used, open, estimate, lapsed = read(fields[1])
if version ~= ARGV[2] - 1 then return {-1, 0, 0, 0, 0, 0} end
readSum(fields[2])
local more, limit = tonumber(ARGV[4]), tonumber(ARGV[6])
local granted = 1
if limit and sumUsed + sumOpen + more > limit then
  lapse()
  if sumUsed + sumOpen + more > limit then granted = 0 end
end
if granted == 1 then
  used, open, estimate = used + ARGV[3], open + more, estimate + ARGV[5]
  sumUsed, sumOpen = sumUsed + ARGV[3], sumOpen + more
end
write(me, version + 1, used, open, estimate, lapsed)
return {granted, sumUsed, sumOpen, used + lapsed, open, 0}
`)

/**
 * Says how things stand with an instance, whatever was known of it (but what was settled never becomes less), and tells what it knows of others where that is more:
 * `me, version, used, open, estimate, life in ms or '', presence in ms, first version, name, used, name, used …`. Answers with 0 when somebody
 * of the same name has said something later; else with 1 and all there is. It is a sign of life as well: the next beat may
 * be a second away, and till then nobody may take what is open for abandoned.
 */
export const tellScript = luaScript(`${parts}
readSum(redis.call('HGET', hash, 'sum'))
local before, settled = redis.call('HGET', hash, me), tonumber(ARGV[3])
if before then
  local version, used, open, estimate, lapsed = read(before)
  if version >= tonumber(ARGV[2]) then return {0} end
  sumUsed, sumOpen = sumUsed - used - lapsed, sumOpen - open
  settled = math.max(settled, used)
end
sumUsed, sumOpen = sumUsed + settled, sumOpen + ARGV[4]
write(me, ARGV[2], settled, ARGV[4], ARGV[5], 0)
redis.call('SET', 'gatehouse:presence:' .. me, ARGV[8] .. ' told', 'PX', ARGV[7], 'NX')
for index = 9, #ARGV, 2 do
  local name, known = ARGV[index], tonumber(ARGV[index + 1])
  local text = redis.call('HGET', hash, name)
  local version, used, open, estimate, lapsed = 0, 0, 0, 0, 0
  if text then version, used, open, estimate, lapsed = read(text) end
  if used < known then
    sumUsed = sumUsed + known - used
    write(name, math.floor(version) + 0.5, known, open, estimate, lapsed)
  end
end
if ARGV[6] ~= '' then redis.call('PEXPIRE', hash, ARGV[6]) end
return {1, unpack(redis.call('HGETALL', hash))}
`)

/** What is used and open in all, and of that this instance's: `me`. */
export const lookScript = luaScript(`${parts}
local fields = redis.call('HMGET', hash, me, 'sum')
readSum(fields[2])
lapse()
local version, used, open, estimate, lapsed = 0, 0, 0, 0, 0
if fields[1] then version, used, open, estimate, lapsed = read(fields[1]) end
return {1, sumUsed, sumOpen, used + lapsed, open, 0}
`)
