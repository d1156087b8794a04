/**
 * What a batch has cost, in Lua. One hash holds `known|maybe|reserved|holder` for each item that ever came near a submit:
 *
 * - `known`: credits of its tasks · `maybe`: of submits whose outcome nobody knows · both as its record has them
 * - `reserved`: for a submit that was permitted and has no record yet · `holder`: whom it was permitted last
 *
 * Their sums are fields of the batch's hash: `credits` (known) and `maybe` (maybe and reserved). So is `budget`, which the two never
 * pass together, and how many items wait beyond it: `beyond` and `beyondCredits`, the items themselves in a hash of their own.
 */
const CHARGES = `
local function chargesOf(id)
  local known, maybe, reserved, holder = string.match(redis.call('HGET', charges, id) or '0|0|0|', '^([^|]*)|([^|]*)|([^|]*)|(.*)$')
  return tonumber(known), tonumber(maybe), tonumber(reserved), holder
end
local function note(id, known, maybe, reserved, holder)
  redis.call('HSET', charges, id, string.format('%.14g|%.14g|%.14g|%s', known, maybe, reserved, holder))
end
local function add(field, amount)
  if amount ~= 0 then redis.call('HINCRBYFLOAT', batch, field, string.format('%.14g', amount)) end
end
`;

/** Expects the locals `batch`, `charges` and `beyond`. A cost of '' is that of a model without a price, which no budget lets through. */
export const BUDGET = `${CHARGES}
local function affords(id, cost)
  local budget = redis.call('HGET', batch, 'budget')
  if not budget then return true end
  if cost == '' then return false end
  local _, _, reserved = chargesOf(id)
  local sums = redis.call('HMGET', batch, 'credits', 'maybe')
  return tonumber(sums[1] or 0) + tonumber(sums[2] or 0) - reserved + tonumber(cost) <= tonumber(budget) + 1e-6
end
local function leaveBeyond(id, cost)
  if redis.call('HSETNX', beyond, id, cost) == 0 then return end
  redis.call('HINCRBY', batch, 'beyond', 1)
  add('beyondCredits', tonumber(cost) or 0)
end
local function reserve(id, holder, cost)
  local known, maybe, reserved, by = chargesOf(id)
  if by == holder then return true, false end
  if not affords(id, cost) then
    leaveBeyond(id, cost)
    return false, false
  end
  local was = redis.call('HGET', beyond, id)
  if was then
    redis.call('HDEL', beyond, id)
    redis.call('HINCRBY', batch, 'beyond', -1)
    add('beyondCredits', -(tonumber(was) or 0))
  end
  local amount = tonumber(cost) or 0
  note(id, known, maybe, amount, holder)
  add('maybe', amount - reserved)
  return true, true
end
`;

/**
 * KEYS: the batch's hash, its charges, those beyond the budget, batches to be woken. ARGV: the batch, now, then triples of an
 * id, known and maybe. Settles what was reserved for these items. Where that leaves room, the items beyond the budget are woken to try again.
 */
export const ACCOUNT = `
local batch, charges, beyond = KEYS[1], KEYS[2], KEYS[3]
${CHARGES}
local less = 0
for index = 3, #ARGV, 3 do
  local id, known, maybe = ARGV[index], tonumber(ARGV[index + 1]), tonumber(ARGV[index + 2])
  local wasKnown, wasMaybe, reserved, holder = chargesOf(id)
  add('credits', known - wasKnown)
  add('maybe', maybe - wasMaybe - reserved)
  less = less + wasKnown + wasMaybe + reserved - known - maybe
  note(id, known, maybe, 0, holder)
end
if less > 1e-6 and redis.call('DEL', beyond) == 1 then
  redis.call('HSET', batch, 'beyond', 0, 'beyondCredits', 0)
  redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
end
return 1
`;

/** KEYS: the batch's hash, those beyond the budget. ARGV: the budget, '' for none. */
export const SET_BUDGET = `
if ARGV[1] == '' then redis.call('HDEL', KEYS[1], 'budget') else redis.call('HSET', KEYS[1], 'budget', ARGV[1]) end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'beyond', 0, 'beyondCredits', 0)
return 1
`;
