-- KEYS[1]: the hash of a day. ARGV: a drop, its credits, the limit of the day ('' for none), milliseconds to keep it. Returns 1 when the
-- drop may spend so much on this day: what was reserved for it before is its own; 0 when that would pass the limit, and nothing is reserved.
local day, drop, credits, limit = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('HEXISTS', day, drop) == 1 then return 1 end
local sum = tonumber(redis.call('HGET', day, 'sum') or '0')
if limit and sum + credits > limit + 1e-6 then return 0 end
redis.call('HSET', day, drop, ARGV[2])
redis.call('HINCRBYFLOAT', day, 'sum', ARGV[2])
redis.call('PEXPIRE', day, ARGV[4])
return 1
