-- Removes all keys of a batch that has ended and whose index is written. KEYS[3]: names of all batches. KEYS[4]: batches that were
-- resumed. From KEYS[5] on, but for the last: its other keys. Returns 1 when it did.
-- @include "batch"
local known = redis.call('HMGET', batch, 'created', 'version', 'finishedVersion')
if not known[1] or ended() == 0 or known[2] ~= known[3] then return 0 end
redis.call('ZREM', KEYS[3], name())
redis.call('ZREM', KEYS[4], name())
redis.call('SREM', KEYS[#KEYS], name())
redis.call('UNLINK', batch, items, endedKey)
for index = 5, #KEYS - 1 do redis.call('UNLINK', KEYS[index]) end
return 1
