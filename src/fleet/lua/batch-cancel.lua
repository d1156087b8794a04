-- ARGV: ids. Cancels those that are queued. Returns { how many; 1 when the batch has ended }.
-- @include "batch"
local cancelled = 0
for _, id in ipairs(ARGV) do
  local was = stateOf(id)
  if was == 'queued' then
    set(id, was, 'cancelled')
    cancelled = cancelled + 1
  end
end
return { cancelled, ended() }
