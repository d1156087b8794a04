-- The request was answered and not refused for its rate, or it will never be answered.
-- ARGV: token, milliseconds since it was sent, window, smallest margin.
-- A learned limit rises when it has held for a window with every slot in use: by one, then by more each time.
-- @include "limiter"
local token, ago, window, smallest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('HMGET', state, 'margin', 'canary', 'probeAt', 'limit')
local margin, limit = tonumber(known[1]) or smallest, tonumber(known[4])
redis.call('ZREM', sent, token)
redis.call('ZADD', free, now - ago + window + margin, token)
redis.call('ZADD', accepted, now - ago, token)
redis.call('ZREMRANGEBYSCORE', accepted, '-inf', now - window)
if margin > smallest then redis.call('HSET', state, 'margin', math.max(smallest, margin - 1)) end
if known[2] == token then redis.call('HDEL', state, 'canary', 'canaryUntil', 'pauses', 'cause', 'widened') end
if known[3] and now >= tonumber(known[3]) then
  purge()
  local used = redis.call('ZCARD', reserved) + redis.call('ZCARD', sent) + redis.call('ZCARD', free)
  local configured, step = get('configured'), get('step') or 1
  if limit >= configured then
    redis.call('HDEL', state, 'good', 'floor', 'step', 'probeAt', 'probeEvery')
  elseif used >= limit then
    local raised = math.min(configured, limit + step)
    step = math.min(step * 2, math.max(1, math.floor(raised / 4)))
    redis.call('HSET', state, 'good', limit, 'limit', raised, 'step', step, 'probeAt', now + window + margin)
  end
end
return 1
