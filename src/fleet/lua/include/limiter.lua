-- The log of slots, a sliding window. Three sorted sets hold a token for each slot in use:
-- - `reserved`: given to a waiter that has not sent yet. Score: its time to send plus a lease; after that the waiter is dead
-- - `sent`: the request goes out next, or is unanswered. Score: when it is given up as dead
-- - `free`: answered. Score: when the slot may be used again, which is sent + window + margin
--
-- `accepted` is a fourth set: what the provider let through within the last window, by the time it was sent. The limit is
-- learned from it. The hash `state` holds the epoch, totals, the margin, the pause (`hold`), the canary that goes alone
-- after a pause, and what was learned (see limiter-refuse.lua). All times are milliseconds.
local reserved, sent, free, accepted, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
-- @include "clock"
local function get(field) return tonumber(redis.call('HGET', state, field)) end
local function purge()
  redis.call('ZREMRANGEBYSCORE', reserved, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', sent, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', free, '-inf', now)
end
-- Milliseconds to wait for a pause, for a canary on its way or for room at the provider; 0: the way is clear.
local function obstacle(token, known, most, lists)
  local hold, canary = tonumber(known[1]) or 0, known[2]
  if hold > now then return hold - now end
  if canary and canary ~= 'open' and canary ~= token and (tonumber(known[3]) or 0) > now then return 50 end
  if most == 0 then return 0 end
  local running = redis.call('ZCARD', sent)
  for index = 6, #KEYS do
    running = running + redis.call(index - 5 <= lists and 'LLEN' or 'ZCARD', KEYS[index])
  end
  return running < most and 0 or 100
end
local function go(token, canary, timeout, isNew, untilDead)
  if canary then redis.call('HSET', state, 'canary', token, 'canaryUntil', now + timeout) end
  redis.call('ZADD', sent, now + untilDead, token)
  if isNew then redis.call('HINCRBY', state, 'sentTotal', 1) end
end
