-- Goes through some buckets of what is packed. ARGV: the first of them, how many, 'unsee' or 'forget'.
-- unsee: a manifest begins to be enqueued, and has none of them so far. forget: it is in, and what it has not is forgotten; only its
-- charge still counts. Returns the bucket to go on with, or -1. KEYS[3]: the set of ids that the manifest has.
-- @include "batch"
-- @include "ended"
if not hasPacked() then return -1 end
local first, todo = tonumber(ARGV[1]), ARGV[3]
local last, forgotten = math.min(first + tonumber(ARGV[2]), buckets) - 1, 0
local from, to = todo == 'unsee' and 's' or 'a', todo == 'unsee' and 'a' or 'f'
for index = first, last do
  local held, entries, isChanged = redis.call('HGET', endedKey, index) or '', {}, false
  for at = 1, #held, ENTRY do
    local byte = string.sub(held, at + ENTRY - 1, at + ENTRY - 1)
    local kind, known = kindOf(byte)
    local other = kind == from and byteOf(to, known)
    if other then
      byte, isChanged = other, true
      if to == 'f' then forgotten = forgotten + 1 end
    end
    table.insert(entries, string.sub(held, at, at + ENTRY - 2) .. byte)
  end
  if isChanged then redis.call('HSET', endedKey, index, table.concat(entries)) end
end
if forgotten > 0 then
  redis.call('HINCRBY', batch, 'n:archived', -forgotten)
  redis.call('HINCRBY', batch, 'version', forgotten)
end
return last + 1 < buckets and last + 1 or -1
