-- Which items over budget the budget has room for, now that there may be some. KEYS: the batch's hash, its items' states, its charges,
-- its items over budget. ARGV: how many to name at most. They stay over budget until one is reserved for; only when none is left
-- to name, it is noted that there is no room. Items that have ended meanwhile are not over budget any more.
-- @include "batch"
local charges, overBudget, most = KEYS[3], KEYS[4], tonumber(ARGV[1])
-- @include "budget"
if redis.call('HEXISTS', batch, 'room') == 0 then return {} end
local budget = tonumber(redis.call('HGET', batch, 'budget') or '')
local room = budget and budget - figure('credits') - figure('maybe') + 1e-6
local rooms, named, cursor = {}, {}, '0'
local function takes(cost, account)
  if rooms[account] == nil then rooms[account] = roomOf(account) or false end
  local own = rooms[account]
  if not room and not own then return true end
  if not cost or room and cost > room or own and cost > own then return false end
  if room then room = room - cost end
  if own then rooms[account] = own - cost end
  return true
end
repeat
  local page = redis.call('HSCAN', overBudget, cursor, 'COUNT', 500)
  cursor = page[1]
  for index = 1, #page[2], 2 do
    local id = page[2][index]
    local cost, account = string.match(page[2][index + 1], '^([^|]*)|?(.*)$')
    local state = stateOf(id)
    if state ~= 'queued' and state ~= 'submitting' then
      leaveOutOfIt(id)
    elseif #named < most and takes(tonumber(cost), account) then
      table.insert(named, id)
    end
  end
until cursor == '0' or #named >= most
if #named == 0 then redis.call('HDEL', batch, 'room') end
return named
