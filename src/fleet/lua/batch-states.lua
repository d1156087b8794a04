-- KEYS[3]: the batch's charges. ARGV: 'state' or 'charge', then ids. Returns what is stored of each: its state, or its charges as
-- include/charges.lua has them; nil where nothing is known.
-- @include "batch"
-- @include "ended"
local wanted = table.remove(ARGV, 1)
local values = redis.call('HMGET', wanted == 'state' and items or KEYS[3], unpack(ARGV))
if not hasPacked() then return values end
for index, id in ipairs(ARGV) do
  if not values[index] then
    local kind, known = packed(id)
    if kind and wanted == 'charge' then
      values[index] = string.format('%.14g', known)
    elseif kind == 'a' or kind == 's' then
      values[index] = 'archived'
    end
  end
end
return values
