-- KEYS[3]: the set of ids that the manifest has. KEYS[4]: the set of former items. ARGV: ids.
-- Of those that the manifest has not, it forgets what is archived or cancelled; the others are former items: somebody may still
-- have to decide on them. Returns how many it forgot.
-- @include "batch"
local seen, former = KEYS[3], KEYS[4]
local forgotten = 0
for _, id in ipairs(ARGV) do
  local was = stateOf(id)
  if was ~= '' and redis.call('SISMEMBER', seen, id) == 0 then
    if was == 'archived' or was == 'cancelled' then
      redis.call('HINCRBY', batch, 'n:' .. was, -1)
      redis.call('HINCRBY', batch, 'version', 1)
      redis.call('HDEL', items, id)
      leavePacked(id)
      redis.call('SREM', former, id)
      forgotten = forgotten + 1
    else
      redis.call('SADD', former, id)
    end
  end
end
return forgotten
