-- KEYS: as in heartbeat-beat.lua. ARGV: milliseconds. Forgets who was silent for longer. Returns the facts of the others.
-- @include "clock"
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end
return redis.call('HVALS', KEYS[2])
