-- KEYS[1]: the circuit breaker. Permits the next submit to go, alone.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'probeAt', 0)
return 1
