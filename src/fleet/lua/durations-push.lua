-- KEYS[1]: a list of durations. ARGV: a duration, how many to keep.
redis.call('LPUSH', KEYS[1], ARGV[1])
return redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)
