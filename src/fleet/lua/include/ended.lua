-- What is archived, packed: some ten bytes an item in place of two hundred. KEYS[1]: the batch's hash. What stands in the hashes of
-- states and of charges goes before it: a state that is set again, or a charge that is noted again, makes its part of the entry void.
-- The hash `:ended:<batch>` grows by linear hashing: the fields 0 to `n` - 1 are buckets, and one of them is parted for each `LOAD`
-- entries. An entry has nine bytes: the first eight of the sha1 of the item's id, and one that stands for `<kind>|<known credits>`
-- (`k<byte>`, and `b<kind>|<known credits>` back). Kinds: `a`: archived, `s`: archived, and the manifest that is being enqueued has it,
-- `f`: forgotten, only its charge counts. `created` is that of the batch: what is left of another of its name says nothing.
local ENTRY, LOAD = 9, 64
local endedKey = string.gsub(KEYS[1], ':batch:([^:]+)$', ':ended:%1')
local buckets, kinds, bytes = nil, {}, {}
local function hasPacked()
  if buckets == nil then
    local there = redis.call('HMGET', endedKey, 'n', 'created')
    buckets = tonumber(there[1] or 0)
    if buckets > 0 and there[2] ~= redis.call('HGET', KEYS[1], 'created') then buckets = 0 end
  end
  return buckets > 0
end
local function printOf(id)
  return (string.gsub(string.sub(redis.sha1hex(id), 1, 16), '..', function(hex) return string.char(tonumber(hex, 16)) end))
end
-- The largest power of two that there are buckets for.
local function levelOf()
  local level = 1
  while level * 2 <= buckets do level = level * 2 end
  return level
end
local function bucketOf(print, level)
  local a, b, c, d = string.byte(print, 1, 4)
  local number = ((a * 256 + b) * 256 + c) * 256 + d
  local index = number % (level * 2)
  return index < buckets and index or number % level
end
local function kindOf(byte)
  if not kinds[byte] then kinds[byte] = redis.call('HGET', endedKey, 'k' .. string.byte(byte)) end
  local kind, known = string.match(kinds[byte], '^(.)|(.*)$')
  return kind, tonumber(known)
end
-- nil when there are too many kinds already. Each charge may come in three of them: `most` leaves room for the others.
local function byteOf(kind, known, most)
  local text = string.format('%s|%.14g', kind, known)
  if not bytes[text] then
    local code = tonumber(redis.call('HGET', endedKey, 'b' .. text) or '')
    if not code then
      code = tonumber(redis.call('HGET', endedKey, 'kinds') or 0) + 1
      if code > (most or 255) then return nil end
      redis.call('HSET', endedKey, 'kinds', code, 'b' .. text, code, 'k' .. code, text)
    end
    bytes[text] = string.char(code)
  end
  return bytes[text]
end
-- Its bucket, what that holds, and where in it the entry's last byte is; nil where there is none.
local function entryOf(id)
  local print = printOf(id)
  local index = bucketOf(print, levelOf())
  local held, from = redis.call('HGET', endedKey, index) or '', 1
  while true do
    local at = string.find(held, print, from, true)
    if not at then return index, held, nil, print end
    if at % ENTRY == 1 then return index, held, at + ENTRY - 1, print end
    from = at + 1
  end
end
-- 'a', 's' or 'f' and its known credits; nil when nothing of it is packed.
local function packed(id)
  if not hasPacked() then return nil end
  local _, held, at = entryOf(id)
  if at then return kindOf(string.sub(held, at, at)) end
end
local function isArchivedThere(id)
  local kind = packed(id)
  return kind == 'a' or kind == 's'
end
local function replaceKind(id, kind, known)
  local index, held, at = entryOf(id)
  local byte = byteOf(kind, known)
  if not byte then return false end
  redis.call('HSET', endedKey, index, string.sub(held, 1, at - 1) .. byte .. string.sub(held, at + 1))
  return true
end
