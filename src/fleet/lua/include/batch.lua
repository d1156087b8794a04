-- KEYS[1]: the batch's hash. KEYS[2]: the hash of its items' states. The last of KEYS, for scripts that set states: the live batches.
-- A state is stored by its name; `submitting` is stored with its fencing token, as `submitting:<token>`.
-- The batch's hash counts the items of each state in the fields `n:<state>`.
-- @include "ended"
local batch, items = KEYS[1], KEYS[2]
local LIVE = { queued = true, submitting = true, submitted = true, finished = true }
local function name() return string.match(batch, ':batch:([^:]+)$') end
local function stateOf(id)
  local value = redis.call('HGET', items, id)
  if not value and isArchivedThere(id) then value = 'archived' end
  return value and string.match(value, '^[^:]+') or '', value
end
-- What is packed of its state does not hold any more.
local function leavePacked(id)
  local kind, known = packed(id)
  if kind == 'a' or kind == 's' then replaceKind(id, 'f', known) end
end
local function set(id, was, to, value)
  if was == 'archived' then leavePacked(id) end
  if was ~= '' then redis.call('HINCRBY', batch, 'n:' .. was, -1) end
  redis.call('HINCRBY', batch, 'n:' .. to, 1)
  redis.call('HINCRBY', batch, 'version', 1)
  redis.call('HSET', items, id, value or to)
  -- Also where it only comes to another end: the index is to be written again, and nobody may be looking at an ended batch any more.
  if not LIVE[was] then redis.call('SADD', KEYS[#KEYS], name()) end
end
local function ended()
  if redis.call('HGET', batch, 'sealed') ~= '1' then return 0 end
  local live = 0
  -- `unfed`: items that a feed has, and `items` not yet.
  for _, count in ipairs(redis.call('HMGET', batch, 'n:queued', 'n:submitting', 'n:submitted', 'n:finished', 'unfed')) do
    live = live + tonumber(count or 0)
  end
  return live == 0 and 1 or 0
end
