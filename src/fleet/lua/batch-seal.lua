-- The manifest is enqueued whole: from now on the batch can end. Returns 1 when it has ended already.
-- @include "batch"
redis.call('HSET', batch, 'sealed', '1')
return ended()
