-- Adds entries to what include/ended.lua reads.
-- @include "ended"
local MOST_KINDS = 80
local function part()
  local level, new = levelOf(), buckets
  local from = new - level
  local stays, goes = {}, {}
  local held = redis.call('HGET', endedKey, from) or ''
  buckets = new + 1
  local next = levelOf()
  for at = 1, #held, ENTRY do
    local entry = string.sub(held, at, at + ENTRY - 1)
    table.insert(bucketOf(entry, next) == new and goes or stays, entry)
  end
  redis.call('HSET', endedKey, from, table.concat(stays), new, table.concat(goes), 'n', buckets)
end
-- False where it cannot be packed.
local function pack(id, known)
  local byte = byteOf('a', known, MOST_KINDS)
  if not byte then return false end
  if packed(id) then return replaceKind(id, 'a', known) end
  if not hasPacked() then
    buckets = 1
    redis.call('HSET', endedKey, 'n', 1, 'created', redis.call('HGET', KEYS[1], 'created'))
  end
  local index, held, _, print = entryOf(id)
  redis.call('HSET', endedKey, index, held .. print .. byte)
  if redis.call('HINCRBY', endedKey, 'size', 1) > buckets * LOAD then part() end
  return true
end
