-- Asked twice. First before a waiter gets its slot: it then waits while a pause lasts or the provider is full, and nothing has
-- been done yet. Again just before the request goes out, since a pause may have begun. Between the two the slot counts as sent.
-- KEYS from 6: lists and sorted sets that hold a member for each running task, the lists first.
-- ARGV: token, window, timeout, most running tasks (0: no cap), number of lists, lease, 1 when the request goes out now.
-- Returns 0: go on. n > 0: ask again in n milliseconds.
-- -1: take another slot; this one was given up as dead, or the limit has shrunk since it was promised.
-- @include "limiter"
local token, window, timeout, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lists, lease = tonumber(ARGV[5]), tonumber(ARGV[6])
purge()
local isNew = redis.call('ZSCORE', reserved, token)
if not isNew and not redis.call('ZSCORE', sent, token) then return -1 end
local known = redis.call('HMGET', state, 'hold', 'canary', 'canaryUntil', 'limit')
if isNew and redis.call('ZCARD', sent) + redis.call('ZCARD', free) >= tonumber(known[4]) then
  redis.call('ZREM', reserved, token)
  return -1
end
local wait = obstacle(token, known, isNew and most or 0, lists)
if wait > 0 then
  redis.call('ZADD', isNew and reserved or sent, now + wait + lease, token)
  return wait
end
redis.call('ZREM', reserved, token)
go(token, known[2], timeout, isNew, ARGV[7] == '1' and timeout + window or lease)
return 0
