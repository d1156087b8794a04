-- KEYS[1]: times of submits with an unknown outcome, a sorted set. KEYS[2]: submits by tens of seconds.
-- ARGV: a name for this one. Returns { unknown outcomes in the last minute; submits in it }.
-- @include "clock"
local unknowns, sends = KEYS[1], KEYS[2]
-- @include "sends"
redis.call('ZADD', unknowns, now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', unknowns, '-inf', now - 60000)
redis.call('PEXPIRE', unknowns, 60000)
-- One whose answer was waited for was sent before the minute began; it is among the submits all the same.
local count = redis.call('ZCARD', unknowns)
return { count, math.max(count, sendsLately()) }
