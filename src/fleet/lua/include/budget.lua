-- Expects the locals `batch`, `charges` and `overBudget`.
-- The cost '' means that the model has no price; no budget permits that.
-- @include "charges"
local function affords(id, cost)
  local budget = redis.call('HGET', batch, 'budget')
  if not budget then return true end
  if cost == '' then return false end
  local _, _, reserved = chargesOf(id)
  local sums = redis.call('HMGET', batch, 'credits', 'maybe')
  return tonumber(sums[1] or 0) + tonumber(sums[2] or 0) - reserved + tonumber(cost) <= tonumber(budget) + 1e-6
end
local function leaveOverBudget(id, cost)
  if redis.call('HSETNX', overBudget, id, cost) == 0 then return end
  redis.call('HINCRBY', batch, 'beyond', 1)
  add('beyondCredits', tonumber(cost) or 0)
end
local function leaveOutOfIt(id)
  local was = redis.call('HGET', overBudget, id)
  if not was then return end
  redis.call('HDEL', overBudget, id)
  redis.call('HINCRBY', batch, 'beyond', -1)
  add('beyondCredits', -(tonumber(was) or 0))
end
local function reserve(id, token, cost)
  local known, unsettled, reserved, by = chargesOf(id)
  if by == token then return true, false end
  if not affords(id, cost) then
    leaveOverBudget(id, cost)
    return false, false
  end
  leaveOutOfIt(id)
  local amount = tonumber(cost) or 0
  note(id, known, unsettled, amount, token)
  add('maybe', amount - reserved)
  return true, true
end
