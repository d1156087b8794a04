-- The manifest that is being enqueued has these items. KEYS[3]: the set of those. KEYS[4]: former items. ARGV: ids.
-- @include "batch"
-- @include "ended"
for _, id in ipairs(ARGV) do
  local kind, known = nil, nil
  if redis.call('HEXISTS', items, id) == 0 then kind, known = packed(id) end
  if kind ~= 's' and not (kind == 'a' and replaceKind(id, 's', known)) then redis.call('SADD', KEYS[3], id) end
end
redis.call('SREM', KEYS[4], unpack(ARGV))
return 1
