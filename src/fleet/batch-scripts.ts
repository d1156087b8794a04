import { CLOCK, GATE, SENDS } from './breaker-scripts.ts';
import { BUDGET } from './spending-scripts.ts';

/**
 * Transitions of items, in Lua. KEYS[1]: the batch's hash, KEYS[2]: its hash of states. A state is stored by its name,
 * `submitting` with its holder as `submitting:<holder>`. Counters are fields `n:<state>` of the batch's hash.
 */
const PRELUDE = `
local batch, items = KEYS[1], KEYS[2]
local function stateOf(id)
  local value = redis.call('HGET', items, id)
  return value and string.match(value, '^[^:]+') or '', value
end
local function set(id, was, to, value)
  if was ~= '' then redis.call('HINCRBY', batch, 'n:' .. was, -1) end
  redis.call('HINCRBY', batch, 'n:' .. to, 1)
  redis.call('HINCRBY', batch, 'version', 1)
  redis.call('HSET', items, id, value or to)
end
local function ended()
  if redis.call('HGET', batch, 'sealed') ~= '1' then return 0 end
  local live = 0
  for _, count in ipairs(redis.call('HMGET', batch, 'n:queued', 'n:submitting', 'n:submitted', 'n:finished')) do
    live = live + tonumber(count or 0)
  end
  return live == 0 and 1 or 0
end
`;

/**
 * KEYS[3]: the sorted set of those that were archived last, by the server's time in seconds.
 * ARGV: id, to, comma-separated states it may come from, then pairs of a counter and what to add to it on a real move.
 * Returns { 1 moved or there already | 0 refused, 1 when the batch has no live item left }.
 */
export const MOVE = `${PRELUDE}
local id, to = ARGV[1], ARGV[2]
local was = stateOf(id)
if was == to then return { 1, ended() } end
if was == '' or not string.find(',' .. ARGV[3] .. ',', ',' .. was .. ',', 1, true) then return { 0, 0 } end
set(id, was, to)
if to == 'archived' then
  redis.call('ZADD', KEYS[3], redis.call('TIME')[1], id)
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -601)
end
for index = 4, #ARGV, 2 do redis.call('HINCRBYFLOAT', batch, ARGV[index], ARGV[index + 1]) end
return { 1, ended() }
`;

/** ARGV: id, holder. Returns 'claimed', or the state that the item is in ('' when unknown). */
export const CLAIM = `${PRELUDE}
local was = stateOf(ARGV[1])
if was ~= 'queued' and was ~= 'submitting' then return was end
set(ARGV[1], was, 'submitting', 'submitting:' .. ARGV[2])
return 'claimed'
`;

/** What a person has said of a batch; KEYS[3]: the fleet's pause. */
const STANDING_OF = `
local function standing()
  if redis.call('HEXISTS', batch, 'cancelled') == 1 then return 'cancelled' end
  if redis.call('HEXISTS', batch, 'paused') == 1 or redis.call('EXISTS', KEYS[3]) == 1 then return 'paused' end
  return 'open'
end
`;

/** KEYS[4]: the gate, KEYS[5]: the batch's charges, KEYS[6]: its items beyond the budget, KEYS[7]: the latest submits. */
const MONEY = `${CLOCK}
local gate, charges, beyond, sends = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
${GATE}${BUDGET}${SENDS}
`;

/**
 * KEYS[3]: the fleet's pause, then as for MONEY. ARGV: id, holder, cost ('' without a price). The one place that permits a submit: 'go' and
 * 'probe' have reserved its cost, once for a holder however often it asks. Else 'cancelled', 'paused', 'closed', 'out-of-budget' or 'lost'.
 */
export const CONFIRM = `${PRELUDE}${STANDING_OF}${MONEY}
local id, holder, cost = ARGV[1], ARGV[2], ARGV[3]
local _, value = stateOf(id)
if value ~= 'submitting:' .. holder then return 'lost' end
local said = standing()
if said ~= 'open' then return said end
local says = gateSays(holder)
if says == 'closed' then return 'closed' end
local permitted, isNew = reserve(id, holder, cost)
if not permitted then return 'out-of-budget' end
if isNew then countSend() end
if says == 'due' then letThrough(holder) end
return says == 'open' and 'go' or 'probe'
`;

/**
 * KEYS[3]: the fleet's pause, then as for MONEY. ARGV: id, cost ('' without a price). Returns { 'open', 'paused', 'cancelled', 'closed' or
 * 'out-of-budget', 1 when the batch has ended by this }. A queued item of a cancelled batch is cancelled by
 * asking. One that is not queued may have a request on its way: it is 'open', to be looked at.
 */
export const STANDING = `${PRELUDE}${STANDING_OF}${MONEY}
local id, cost = ARGV[1], ARGV[2]
local was, says = stateOf(id), standing()
if was == 'cancelled' then return { 'cancelled', 0 } end
if was ~= 'queued' then return { 'open', 0 } end
if says == 'cancelled' then
  set(id, was, 'cancelled')
  return { says, ended() }
end
if says == 'open' and gateSays() == 'closed' then says = 'closed' end
if says == 'open' and not affords(id, cost) then
  leaveBeyond(id, cost)
  says = 'out-of-budget'
end
return { says, 0 }
`;

/** ARGV: ids. Cancels those that are queued. Returns { how many, 1 when the batch has ended }. */
export const CANCEL = `${PRELUDE}
local cancelled = 0
for _, id in ipairs(ARGV) do
  local was = stateOf(id)
  if was == 'queued' then
    set(id, was, 'cancelled')
    cancelled = cancelled + 1
  end
end
return { cancelled, ended() }
`;

/** ARGV: triples of an id, the state it was seen in ('' for none) and its new state. Returns the ids that were still as seen. */
export const ADMIT = `${PRELUDE}
local admitted = {}
for index = 1, #ARGV, 3 do
  local was = stateOf(ARGV[index])
  if was == ARGV[index + 1] and was ~= ARGV[index + 2] then
    set(ARGV[index], was, ARGV[index + 2])
    table.insert(admitted, ARGV[index])
  end
end
return admitted
`;

/** KEYS[3]: the set of ids that the manifest has. ARGV: ids. Forgets those that have ended and are not in it. */
export const FORGET = `${PRELUDE}
local forgotten = 0
for _, id in ipairs(ARGV) do
  local was = stateOf(id)
  local live = was == 'queued' or was == 'submitting' or was == 'submitted' or was == 'finished'
  if was ~= '' and not live and redis.call('SISMEMBER', KEYS[3], id) == 0 then
    redis.call('HINCRBY', batch, 'n:' .. was, -1)
    redis.call('HINCRBY', batch, 'version', 1)
    redis.call('HDEL', items, id)
    forgotten = forgotten + 1
  end
end
return forgotten
`;

/** The manifest has been enqueued whole: from now on the batch can end. Returns 1 when it has ended already. */
export const SEAL = `${PRELUDE}
redis.call('HSET', batch, 'sealed', '1')
return ended()
`;
