-- Expects the locals `batch`, `charges` and `overBudget`.
-- The cost '' means that the model has no price; no budget permits that.
-- @include "charges"
local function affords(id, cost, account)
  local budget, room = redis.call('HGET', batch, 'budget'), roomOf(account)
  if not budget and not room then return true end
  if cost == '' then return false end
  local _, unsettled, reserved, _, former = chargesOf(id)
  local wanted = tonumber(cost) - reserved
  local moves = former ~= nil and former ~= account
  if room and (moves and wanted + reserved + unsettled or wanted) > room then return false end
  return not budget or figure('credits') + figure('maybe') + wanted <= tonumber(budget) + 1e-6
end
-- An item that may go to another account stays out of it: `elsewhere` is '1' where it was asked for there.
-- Stored as the cost, or as `cost|account` where it is not the default account's.
local function leaveOverBudget(id, cost, account, elsewhere)
  if elsewhere == '1' then return end
  if redis.call('HSETNX', overBudget, id, account == '' and cost or cost .. '|' .. account) == 0 then return end
  redis.call('HINCRBY', batch, 'beyond', 1)
  add('beyondCredits', tonumber(cost) or 0)
end
local function leaveOutOfIt(id)
  local was = redis.call('HGET', overBudget, id)
  if not was then return end
  redis.call('HDEL', overBudget, id)
  redis.call('HINCRBY', batch, 'beyond', -1)
  add('beyondCredits', -(tonumber(string.match(was, '^[^|]*')) or 0))
end
local function reserve(id, token, cost, account, elsewhere)
  local known, unsettled, reserved, by, former = chargesOf(id)
  if by == token then return true, false end
  if not affords(id, cost, account) then
    leaveOverBudget(id, cost, account, elsewhere)
    return false, false
  end
  leaveOutOfIt(id)
  local amount = tonumber(cost) or 0
  note(id, known, unsettled, amount, token, account)
  addOf(former or account, 'maybe', -unsettled - reserved)
  addOf(account, 'maybe', unsettled + amount)
  return true, true
end
