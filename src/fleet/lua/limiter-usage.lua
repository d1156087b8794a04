-- Returns { limit; in use within the last window; milliseconds of pause left; sentTotal; refusedTotal; margin }.
-- @include "limiter"
purge()
local hold = math.max(0, (get('hold') or 0) - now)
local used = redis.call('ZCARD', sent) + redis.call('ZCARD', free)
return { get('limit') or -1, used, hold, get('sentTotal') or 0, get('refusedTotal') or 0, get('margin') or 0 }
