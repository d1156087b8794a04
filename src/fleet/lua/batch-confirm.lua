-- The one place that permits a submit. KEYS: see include/money.lua. ARGV: id, fencing token, cost ('' without a price),
-- account ('' for the default one),
-- '1' where that is not the account of the first of its providers.
-- 'go' and 'probe' permit it and have reserved its cost, once for a token however often it asks.
-- Otherwise: 'cancelled', 'paused', 'tripped', 'out-of-budget', or 'lost' when another token has claimed the item.
-- @include "batch"
-- @include "person-says"
-- @include "money"
local id, token, cost, account, elsewhere = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local _, value = stateOf(id)
if value ~= 'submitting:' .. token then return 'lost' end
local said = personSays()
if said ~= 'admitted' then return said end
local says = breakerSays(token)
if says == 'tripped' then return 'tripped' end
local permitted, isNew = reserve(id, token, cost, account, elsewhere)
if not permitted then return 'out-of-budget' end
if isNew then countSend() end
if says == 'due' then letThrough(token) end
return says == 'reset' and 'go' or 'probe'
