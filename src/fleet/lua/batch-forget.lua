-- KEYS[3]: the set of ids that the manifest has. ARGV: ids. Forgets those that have ended and are not in it.
-- @include "batch"
local forgotten = 0
for _, id in ipairs(ARGV) do
  local was = stateOf(id)
  local live = was == 'queued' or was == 'submitting' or was == 'submitted' or was == 'finished'
  if was ~= '' and not live and redis.call('SISMEMBER', KEYS[3], id) == 0 then
    redis.call('HINCRBY', batch, 'n:' .. was, -1)
    redis.call('HINCRBY', batch, 'version', 1)
    redis.call('HDEL', items, id)
    forgotten = forgotten + 1
  end
end
return forgotten
