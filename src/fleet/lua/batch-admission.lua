-- The admission check: may the item's turn come at all? KEYS: see include/money.lua. ARGV: id, cost ('' without a price), account ('' for
-- the default one), '1' where that is not the account of the first of its providers.
-- Returns { 'admitted', 'paused', 'cancelled', 'tripped' or 'out-of-budget'; 1 when the batch has ended by this call }.
-- It cancels a queued item of a cancelled batch. An item that is not queued is 'admitted': its request may be on its way.
-- @include "batch"
-- @include "person-says"
-- @include "money"
local id, cost, account, elsewhere = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local was, says = stateOf(id), personSays()
if was == 'cancelled' then return { 'cancelled', 0 } end
if was ~= 'queued' then return { 'admitted', 0 } end
if says == 'cancelled' then
  set(id, was, 'cancelled')
  return { says, ended() }
end
if says == 'admitted' and breakerSays() == 'tripped' then says = 'tripped' end
if says == 'admitted' and not affords(id, cost, account) then
  leaveOverBudget(id, cost, account, elsewhere)
  says = 'out-of-budget'
end
return { says, 0 }
