-- ARGV: window. Returns { limit; requests that the provider has seen within the last window; milliseconds of pause left; sentTotal;
-- refusedTotal; margin; when a request was refused last, or -1 }.
-- Slots do not tell what the provider has seen: one that is handed on counts from then on as its next holder's.
-- @include "limiter"
purge()
local hold = math.max(0, (get('hold') or 0) - now)
local seen = redis.call('ZCARD', sent) + redis.call('ZCOUNT', accepted, '(' .. (now - tonumber(ARGV[1])), '+inf')
return { get('limit') or -1, seen, hold, get('sentTotal') or 0, get('refusedTotal') or 0, get('margin') or 0, get('refusedAt') or -1 }
