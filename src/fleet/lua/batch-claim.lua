-- ARGV: id, fencing token. Returns 'claimed', or the state that the item is in ('' when unknown).
-- @include "batch"
local was = stateOf(ARGV[1])
if was ~= 'queued' and was ~= 'submitting' then return was end
set(ARGV[1], was, 'submitting', 'submitting:' .. ARGV[2])
return 'claimed'
