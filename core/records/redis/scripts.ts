import { luaScript } from '../../stores/redis/script.ts'

/** The one hash in which everything is, so that it is lost as a whole or not at all. */
export const sharedHash = 'gatehouse:records'

/** Where is said that something has changed. */
export const sharedChannel = 'gatehouse:records'

/*
 * In the hash: `key:ID`, `model:ID` and `settings:0` hold the rows; `last:KIND` the last id that was given; `tip` the number
 * and the name of the last change; `log:N` of the last 1024 changes number, name, kind and id, at the number's place in a ring.
 * A position is a number and a name. Who knows the change of that name at that number knows what was before it, too.
 */
const parts = `
local hash, kept = KEYS[1], 1024
local function get(field) return redis.call('HMGET', hash, field)[1] end
local function set(field, value) redis.call('HSET', hash, field, value) end
local function slot(number) return 'log:' .. number % kept end
local tip = get('tip')
local seq = tonumber(string.match(tip or '0', '^%S+'))
local function follows(number, change)
  if not tip or change == '' or number > seq or seq - number >= kept then return false end
  return string.match(get(slot(number)) or '', '^%S+ %S+') == number .. ' ' .. change
end
local function note(change, kind, id)
  seq = seq + 1
  set(slot(seq), seq .. ' ' .. change .. ' ' .. kind .. ' ' .. id)
  set('tip', seq .. ' ' .. change)
end
-- what was changed since, at most so many changes, and the rows as they are now
local function news(number, most)
  local entries, rows, seen = {}, {}, {}
  while number < seq and #entries < most do
    number = number + 1
    local entry = get(slot(number)) or ''
    local at, kind, id = string.match(entry, '^(%S+) %S+ (%S+) (%S+)$')
    if at == number .. '' then
      table.insert(entries, entry)
      local field = kind .. ':' .. id
      if kind ~= 'arrival' and not seen[field] then
        seen[field] = true
        for _, part in ipairs({kind, id, get(field) or ''}) do table.insert(rows, part) end
      end
    end
  end
  return entries, rows
end
local position = tonumber(ARGV[1])
`

/** What is new since a position: `number, name, most`. -1 when the position is not known; else 1, the changes and the rows. */
export const newsScript = luaScript(`${parts}
if not follows(position, ARGV[2]) then return {-1} end
local entries, rows = news(position, tonumber(ARGV[3]))
return {1, entries, rows}
`)

/**
 * Writes rows if nothing has changed since a position: `number, name, name of the change, most, kind, id or '', row …`. -1 when the
 * position is not known; 0 and what is new; or 1, the number of the change and the ids. Who may not publish is polled.
 */
export const commitScript = luaScript(`${parts}
if not follows(position, ARGV[2]) then return {-1} end
if seq > position then
  local entries, rows = news(position, tonumber(ARGV[4]))
  return {0, entries, rows}
end
local ids = {}
for index = 5, #ARGV, 3 do
  local kind, id = ARGV[index], tonumber(ARGV[index + 1])
  if not id then
    id = tonumber(get('last:' .. kind) or 0) + 1
    set('last:' .. kind, id)
  end
  set(kind .. ':' .. id, ARGV[index + 2])
  note(ARGV[3], kind, id)
  table.insert(ids, id)
end
redis.pcall('PUBLISH', '${sharedChannel}', seq)
return {1, seq, ids}
`)

/**
 * Takes in somebody whose position is not known: `number, name, name of the arrival, step, last id of a key, of a model`. Ids
 * he knows are not given again; when Redis has lost some of what he knows, ids he never heard of may have been given besides, so
 * that as many as a step are left out. Answers with his position and the last ids.
 */
export const arriveScript = luaScript(`${parts}
local last = {key = tonumber(get('last:key') or 0), model = tonumber(get('last:model') or 0)}
local known = {key = tonumber(ARGV[5]), model = tonumber(ARGV[6])}
local step = 0
if position > seq or position > 0 and (known.key > last.key or known.model > last.model) then step = tonumber(ARGV[4]) end
for kind, id in pairs(known) do
  last[kind] = math.max(last[kind], id) + step
  set('last:' .. kind, last[kind])
end
seq = math.max(seq, position)
note(ARGV[3], 'arrival', 0)
return {seq, last.key, last.model}
`)

/** Reads rows: `number, name, kind, first id, last id`. -1 when the position is not known; else 1, and id and row of those there are. */
export const readScript = luaScript(`${parts}
if not follows(position, ARGV[2]) then return {-1} end
local rows = {}
for id = tonumber(ARGV[4]), tonumber(ARGV[5]) do
  local row = get(ARGV[3] .. ':' .. id)
  if row then
    table.insert(rows, id)
    table.insert(rows, row)
  end
end
return {1, rows}
`)

/** Gives away ids: `number, name, kind, how many`. -1 when the position is not known; else the first of them. */
export const reserveScript = luaScript(`${parts}
if not follows(position, ARGV[2]) then return {-1} end
local last = tonumber(get('last:' .. ARGV[3]) or 0)
set('last:' .. ARGV[3], last + ARGV[4])
return {last + 1}
`)

/** Notes when keys were used last, in a hash of its own: `id, time …`. Earlier times are passed over. */
export const useScript = luaScript(`
for index = 1, #ARGV, 2 do
  local before = redis.call('HMGET', KEYS[1], ARGV[index])[1]
  if not before or tonumber(before) < tonumber(ARGV[index + 1]) then redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1]) end
end
return 1
`)
