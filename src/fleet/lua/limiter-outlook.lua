-- When could one request more be sent? Takes nothing. KEYS from 6: see limiter-ready.lua.
-- ARGV: max, window, margin, most running tasks (0: no cap), number of lists.
-- Returns { milliseconds, as far as slots and pauses tell; 1 when as many tasks run as may; requests that wait for their slot }.
-- @include "limiter"
local max, window, margin = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', state, 'hold', 'canary', 'canaryUntil', 'configured', 'limit', 'margin')
local limit = tonumber(known[4]) == max and tonumber(known[5]) or max
purge()
local waiting = redis.call('ZCARD', reserved)
local used = waiting + redis.call('ZCARD', sent) + redis.call('ZCARD', free)
local wait = obstacle('', known, 0, 0)
local isFull = tonumber(ARGV[4]) > 0 and obstacle('', {}, tonumber(ARGV[4]), tonumber(ARGV[5])) > 0
if used >= limit then
  local slot = redis.call('ZRANGE', free, used - limit, used - limit, 'WITHSCORES')
  -- Where all are promised or unanswered, the first of them is free a window after it was used.
  wait = math.max(wait, slot[2] and tonumber(slot[2]) - now or window + (tonumber(known[6]) or margin))
end
return { wait, isFull and 1 or 0, waiting }
