-- What a batch has cost. One hash holds `known|unsettled|reserved|token` for each item that came near a submit:
-- - `known`: credits of its tasks. `unsettled`: credits of submits whose outcome nobody knows. Both are as in its record.
-- - `reserved`: credits for a submit that is permitted and has no record yet
-- - `token`: the fencing token that got the last permit, and after an `@` the account that unsettled and reserved are counted in. Without
--   it, as former versions wrote it, that is the account that the item is of now. An item may go to another before it is sent.
--
-- The batch's hash has the sums: `credits` is the sum of known, `maybe` the sum of unsettled and reserved. Together they
-- never pass `budget`. For an account of a provider other than the default, `credits:<account>` and `maybe:<account>` have what of the
-- sums is its, `credits:others` and `maybe:others` those of all such; what is left is the default account's. `budget:<account>` is a
-- budget of its own. `beyond` and `beyondCredits` count the items over budget and what they would cost; those items
-- stand in a hash of their own.
-- What is packed (include/ended.lua) has known credits only.
-- @include "ended"
local function chargesOf(id)
  local noted = redis.call('HGET', charges, id)
  if not noted then
    local _, known = packed(id)
    return known or 0, 0, 0, ''
  end
  local known, unsettled, reserved, token = string.match(noted, '^([^|]*)|([^|]*)|([^|]*)|(.*)$')
  local by, named = string.match(token, '^([^@]*)@?(.*)$')
  local account = nil
  if named ~= '' then account = named == 'kie' and '' or named end
  return tonumber(known), tonumber(unsettled), tonumber(reserved), by, account
end
local function note(id, known, unsettled, reserved, token, account)
  local named = account and token .. '@' .. (account == '' and 'kie' or account) or token
  local value = string.format('%.14g|%.14g|%.14g|%s', known, unsettled, reserved, named)
  if redis.call('HSET', charges, id, value) == 0 then return end
  local kind, before = packed(id)
  if kind and before ~= 0 then replaceKind(id, kind, 0) end
end
local function add(field, amount)
  if amount ~= 0 then redis.call('HINCRBYFLOAT', batch, field, string.format('%.14g', amount)) end
end
-- `account`: '' for the default one.
local function addOf(account, field, amount)
  add(field, amount)
  if account == '' then return end
  add(field .. ':' .. account, amount)
  add(field .. ':others', amount)
end
local function figure(field)
  return tonumber(redis.call('HGET', batch, field) or '0')
end
-- What the budget of an account has room for; nil where it has none.
local function roomOf(account)
  local budget = redis.call('HGET', batch, 'budget:' .. (account == '' and 'kie' or account))
  if not budget then return nil end
  if account == '' then return budget - figure('credits') - figure('maybe') + figure('credits:others') + figure('maybe:others') + 1e-6 end
  return budget - figure('credits:' .. account) - figure('maybe:' .. account) + 1e-6
end
