-- The batch's index is to be written anew: a record has changed without a move.
-- @include "batch"
redis.call('HINCRBY', batch, 'version', 1)
return redis.call('SADD', KEYS[#KEYS], name())
