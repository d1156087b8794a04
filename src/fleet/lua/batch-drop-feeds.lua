-- A cancelled batch: what is not fed yet is not wanted any more. KEYS[3]: the feeds. KEYS[4]: names of batches that have something to
-- feed. Returns { how many items; 1 when the batch has ended }.
-- @include "batch"
-- @include "feeds"
local left = tonumber(redis.call('HGET', batch, 'unfed') or 0)
if left == 0 then return { 0, 0 } end
for _, field in ipairs(redis.call('HKEYS', KEYS[3])) do
  if string.sub(field, -3) == ':is' then redis.call('HSET', KEYS[3], field, 'dropped') end
end
redis.call('HINCRBY', batch, 'dropped', left)
redis.call('HSET', batch, 'unfed', 0, 'unfedFormer', 0)
redis.call('HINCRBY', batch, 'version', left)
if not hasFeeds(KEYS[3]) then redis.call('SREM', KEYS[4], name()) end
return { left, ended() }
