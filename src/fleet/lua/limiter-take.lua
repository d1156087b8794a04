-- Gives the caller a slot, perhaps one that becomes free only later. KEYS from 6: see limiter-ready.lua.
-- ARGV: token, max, window, margin, lease, the epoch that the caller knows ('' on its first call), a new epoch, timeout, most
-- running tasks, number of lists, 1 when the request goes out at once, shortest and longest wait where no slot can be promised, the
-- share of the limit that is not to be used just now.
-- Returns { milliseconds until the request may be sent, or -n: no slot can be promised before n milliseconds; the epoch;
-- 1 when nothing stands in the way, so that limiter-ready.lua need not be asked }.
-- @include "limiter"
local token, max, window, margin, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local timeout, shortest, longest = tonumber(ARGV[8]), tonumber(ARGV[12]), tonumber(ARGV[13])
local known = redis.call('HMGET', state, 'hold', 'canary', 'canaryUntil', 'epoch', 'born', 'configured', 'limit')
local epoch, born, limit = known[4], tonumber(known[5]) or now, tonumber(known[7])
if not epoch then
  epoch, limit = ARGV[7], max
  redis.call('HSET', state, 'epoch', epoch, 'born', now, 'configured', max, 'limit', max, 'margin', margin)
elseif tonumber(known[6]) ~= max then
  limit = max
  redis.call('HSET', state, 'configured', max, 'limit', max)
  redis.call('HDEL', state, 'good', 'floor', 'step', 'probeAt', 'probeEvery')
end
-- The caller has used an older log that is lost. What was sent before this log began may still be within the window.
if ARGV[6] ~= '' and ARGV[6] ~= epoch then
  known[1] = math.max(tonumber(known[1]) or 0, born + window)
  redis.call('HSET', state, 'hold', known[1])
end
limit = math.max(1, limit - math.floor(limit * tonumber(ARGV[14])))
purge()
local used = redis.call('ZCARD', reserved) + redis.call('ZCARD', sent) + redis.call('ZCARD', free)
if used < limit then
  local isClear = obstacle(token, known, tonumber(ARGV[9]), tonumber(ARGV[10])) == 0
  if isClear then
    go(token, known[2], timeout, true, ARGV[11] == '1' and timeout + window or lease)
  else
    redis.call('ZADD', reserved, now + lease, token)
  end
  return { 0, epoch, isClear and 1 or 0 }
end
-- When the limit has shrunk, the earliest answered slots are not handed on: as many as there are too many.
local rank = used - limit
local slot = redis.call('ZRANGE', free, rank, rank, 'WITHSCORES')
if #slot == 0 then
  -- The next slot to be answered is at the earliest the next to be sent.
  local first = redis.call('ZRANGE', reserved, 0, 0, 'WITHSCORES')
  local wait = #first == 0 and shortest or tonumber(first[2]) - lease - now
  return { -math.max(shortest, math.min(longest, wait)), epoch, 0 }
end
redis.call('ZREMRANGEBYRANK', free, 0, rank)
local freeAt = tonumber(slot[2])
redis.call('ZADD', reserved, freeAt + lease, token)
return { freeAt - now, epoch, 0 }
