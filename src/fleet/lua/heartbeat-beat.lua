-- KEYS: the workers by their last beat, a sorted set; the hash of their facts. ARGV: id, facts.
-- @include "clock"
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
