-- KEYS[1]: times of submits that could not be sent, a sorted set. ARGV: a name for this one, milliseconds.
-- Returns how many there were within so many milliseconds, this one included.
-- @include "clock"
local notSent, within = KEYS[1], tonumber(ARGV[2])
redis.call('ZADD', notSent, now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', notSent, '-inf', now - within)
redis.call('PEXPIRE', notSent, within)
return redis.call('ZCARD', notSent)
