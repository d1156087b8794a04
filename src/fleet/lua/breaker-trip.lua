-- KEYS[1]: the circuit breaker. ARGV: refusal, message, milliseconds until a probe may go ('' for not by time), 1 from a probe,
-- what the wait for a probe grows to at most ('' for the usual).
-- The first reason stays. Only a probe can replace it, since what a probe meets is news.
-- @include "clock"
local breaker, refusal, message, wait = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
-- @include "breaker"
local was = redis.call('HGET', breaker, 'refusal')
if was and (ARGV[4] ~= '1' or was == refusal) then
  if was == refusal then redis.call('HSET', breaker, 'message', message) end
  return 0
end
redis.call('DEL', breaker)
redis.call('HSET', breaker, 'refusal', refusal, 'message', message, 'since', now)
if ARGV[5] ~= '' then redis.call('HSET', breaker, 'longest', ARGV[5]) end
if wait then redis.call('HSET', breaker, 'probeAt', now + wait, 'wait', math.min(wait * 2, longestWait())) end
return 1
