-- Expects the locals `batch`, `charges` and `overBudget`.
-- The cost '' means that the model has no price; no budget permits that.
-- @include "charges"
local function affords(id, cost, account)
  local budget, room = redis.call('HGET', batch, 'budget'), roomOf(account)
  if not budget and not room then return true end
  if cost == '' then return false end
  local _, _, reserved = chargesOf(id)
  local wanted = tonumber(cost) - reserved
  if room and wanted > room then return false end
  return not budget or figure('credits') + figure('maybe') + wanted <= tonumber(budget) + 1e-6
end
-- Stored as the cost, or as `cost|account` where it is not the default account's.
local function leaveOverBudget(id, cost, account)
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
local function reserve(id, token, cost, account)
  local known, unsettled, reserved, by = chargesOf(id)
  if by == token then return true, false end
  if not affords(id, cost, account) then
    leaveOverBudget(id, cost, account)
    return false, false
  end
  leaveOutOfIt(id)
  local amount = tonumber(cost) or 0
  note(id, known, unsettled, amount, token)
  addOf(account, 'maybe', amount - reserved)
  return true, true
end
