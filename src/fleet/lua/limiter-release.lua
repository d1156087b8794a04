-- Nothing was sent. ARGV: token, milliseconds from now until the slot is free (0 or less: at once).
-- @include "limiter"
local token, ahead = ARGV[1], tonumber(ARGV[2])
local wasSent = redis.call('ZREM', sent, token)
if wasSent == 1 then redis.call('HINCRBY', state, 'sentTotal', -1) end
local had = redis.call('ZREM', reserved, token) + wasSent
if had > 0 and ahead > 0 then redis.call('ZADD', free, now + ahead, token) end
if redis.call('HGET', state, 'canary') == token then redis.call('HSET', state, 'canary', 'open') end
return had
