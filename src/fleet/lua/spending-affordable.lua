-- Which items over budget the budget has room for, now that there may be some. KEYS: the batch's hash, its items' states, its charges,
-- its items over budget. ARGV: how many to name at most. They stay over budget until one is reserved for; only when none is left
-- to name, it is noted that there is no room. Items that have ended meanwhile are not over budget any more.
-- @include "batch"
local charges, overBudget, most = KEYS[3], KEYS[4], tonumber(ARGV[1])
-- @include "budget"
if redis.call('HEXISTS', batch, 'room') == 0 then return {} end
local budget = tonumber(redis.call('HGET', batch, 'budget') or '')
local sums = redis.call('HMGET', batch, 'credits', 'maybe')
local room = budget and budget - tonumber(sums[1] or 0) - tonumber(sums[2] or 0) + 1e-6
local named, cursor = {}, '0'
repeat
  local page = redis.call('HSCAN', overBudget, cursor, 'COUNT', 500)
  cursor = page[1]
  for index = 1, #page[2], 2 do
    local id, cost = page[2][index], tonumber(page[2][index + 1])
    local state = stateOf(id)
    if state ~= 'queued' and state ~= 'submitting' then
      leaveOutOfIt(id)
    elseif #named < most and (not room or cost and cost <= room) then
      if room then room = room - cost end
      table.insert(named, id)
    end
  end
until cursor == '0' or #named >= most
if #named == 0 then redis.call('HDEL', batch, 'room') end
return named
