-- KEYS: the batch's hash, its charges, its items over budget. ARGV: for each item its id, its known and its unsettled credits,
-- and its account ('' for the default one). Settles what was reserved for these items. Where that leaves room in the budget, it notes that items over budget may have it.
local batch, charges, overBudget = KEYS[1], KEYS[2], KEYS[3]
-- @include "charges"
local less = 0
for index = 1, #ARGV, 4 do
  local id, known, unsettled = ARGV[index], tonumber(ARGV[index + 1]), tonumber(ARGV[index + 2])
  local account = ARGV[index + 3]
  local wasKnown, wasUnsettled, reserved, token, former = chargesOf(id)
  addOf(account, 'credits', known - wasKnown)
  addOf(former or account, 'maybe', -wasUnsettled - reserved)
  addOf(account, 'maybe', unsettled)
  less = less + wasKnown + wasUnsettled + reserved - known - unsettled
  note(id, known, unsettled, 0, token, account)
end
if less > 1e-6 and redis.call('EXISTS', overBudget) == 1 then redis.call('HSET', batch, 'room', 1) end
return 1
