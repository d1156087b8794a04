-- The circuit breaker. Its hash exists while submitting is stopped for the whole fleet. Fields:
-- - `refusal`, `message`, `since`: why and since when
-- - `probeAt`: when one submit may go through as a probe; absent: not before `allowProbe`
-- - `wait`: milliseconds until the probe after that; each probe doubles it
-- - `longest`: what `wait` grows to at most; absent: 10 minutes
-- - `probe`: the fencing token of the last submit that was let through
-- Times are epoch milliseconds. Expects the locals `breaker` and `now`.
local LONGEST_WAIT = 600000
local function longestWait()
  return tonumber(redis.call('HGET', breaker, 'longest') or '') or LONGEST_WAIT
end
local function breakerSays(token)
  if redis.call('EXISTS', breaker) == 0 then return 'reset' end
  if token and redis.call('HGET', breaker, 'probe') == token then return 'probe' end
  local probeAt = tonumber(redis.call('HGET', breaker, 'probeAt') or '')
  return probeAt and probeAt <= now and 'due' or 'tripped'
end
local function letThrough(token)
  redis.call('HSET', breaker, 'probe', token)
  local wait = tonumber(redis.call('HGET', breaker, 'wait') or '')
  if not wait then
    redis.call('HDEL', breaker, 'probeAt')
  else
    redis.call('HSET', breaker, 'probeAt', now + wait, 'wait', math.min(wait * 2, longestWait()))
  end
end
