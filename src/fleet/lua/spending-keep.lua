-- KEYS: the batch's hash, its charges. ARGV: ids of items whose record is gone. Their charges stay in the sums of the batch and
-- leave the items, whose next records know nothing of them. Repeating it changes nothing.
local batch, charges = KEYS[1], KEYS[2]
-- @include "charges"
for _, id in ipairs(ARGV) do
  local _, _, reserved, token, account = chargesOf(id)
  if redis.call('HEXISTS', charges, id) == 1 or packed(id) then note(id, 0, 0, reserved, token, account) end
end
return 1
