-- Packs what is archived. KEYS[3]: former items, which stay as they are. KEYS[4]: the batch's charges. ARGV: ids.
-- Not while a manifest is being enqueued. Returns how many are packed.
-- @include "batch"
-- @include "pack"
local former, charges = KEYS[3], KEYS[4]
-- @include "charges"
if redis.call('HGET', batch, 'sealed') ~= '1' then return 0 end
-- Of another batch of this name, that an older version removed.
if not hasPacked() then redis.call('UNLINK', endedKey) end
local count = 0
for _, id in ipairs(ARGV) do
  if redis.call('HGET', items, id) == 'archived' and redis.call('SISMEMBER', former, id) == 0 then
    local known, unsettled, reserved = chargesOf(id)
    local isNoted = redis.call('HEXISTS', charges, id) == 1
    local kind, before = packed(id)
    if unsettled == 0 and reserved == 0 and pack(id, known) then
      -- A version that does not know what is packed has counted it once more.
      if kind == 'a' or kind == 's' then
        redis.call('HINCRBY', batch, 'n:archived', -1)
        redis.call('HINCRBY', batch, 'version', 1)
        redis.call('SADD', KEYS[#KEYS], name())
      end
      if isNoted and before and before ~= 0 then add('credits', -before) end
      redis.call('HDEL', items, id)
      redis.call('HDEL', charges, id)
      count = count + 1
    end
  end
end
return count
