-- Takes the batch from the live ones where nobody has to look at it any more: it has ended and its index is written, or Redis does not
-- know it. Returns 1 when it did.
-- @include "batch"
local known = redis.call('HMGET', batch, 'created', 'version', 'finishedVersion')
if known[1] and (ended() == 0 or known[2] ~= known[3]) then return 0 end
return redis.call('SREM', KEYS[#KEYS], name())
