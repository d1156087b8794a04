-- The provider refused the request for its rate (429). This pauses the fleet once. After the pause one request, the canary,
-- goes alone. ARGV: token, milliseconds since it was sent, window, Retry-After in milliseconds or -1, pause, largest margin.
--
-- At first a refusal is taken for bad timing: it widens the margin. A refused canary cannot be bad timing. Then the limit is
-- lower than thought: it is what was accepted within the window. Two exceptions guard against a provider in trouble:
-- - a limit of less than half of the one in force is believed only at the third refusal in a row
-- - where canaries go through but whole volleys are refused, the third volley is believed
-- A learned limit is then probed upward; each refused probe doubles the time to the next.
-- Fields: `good`: the highest limit that held. `floor`: `good` when the last probe began.
-- `cause` of the last refusal: 'limit', or 'unknown' until the canary tells.
-- @include "limiter"
local token, ago, window, after, pause, largest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local margin, widened = get('margin') or 0, get('widened') or 0
redis.call('ZREM', sent, token)
redis.call('HINCRBY', state, 'refusedTotal', 1)
redis.call('HSET', state, 'refusedAt', now)
redis.call('ZADD', free, now - ago + window + margin, token)
purge()
-- Those still unanswered may have been let through as well.
local most = redis.call('ZCOUNT', accepted, '(' .. (now - ago - window), '+inf') + redis.call('ZCARD', sent)
local limit, good, pauses = get('limit') or 1, get('good'), get('pauses') or 0
local held = (get('hold') or 0) > now
local volleys = get('volleys') or 0
if not held then
  volleys = (get('lastVolley') or 0) > now - 2 * window and volleys + 1 or 1
  redis.call('HSET', state, 'lastVolley', now, 'volleys', volleys)
end
local cause = held and redis.call('HGET', state, 'cause') or 'unknown'
local function learn(least)
  limit = math.max(1, least, math.min(limit, most))
  redis.call('HSET', state, 'limit', limit, 'good', limit, 'floor', least, 'step', 1, 'volleys', 0)
end
local function probeIn(every) redis.call('HSET', state, 'probeEvery', every, 'probeAt', now + every) end
if good and limit > good then
  cause = 'limit'
  learn(good)
  probeIn(math.min((get('probeEvery') or window) * 2, window * 32))
elseif cause == 'limit' then
  -- The rest of a volley that taught already, answered later and so knowing better.
  learn(get('floor') or 1)
elseif volleys >= 3 or redis.call('HGET', state, 'canary') == token and (most * 2 >= limit or pauses >= 3) then
  cause = 'limit'
  learn(1)
  probeIn(window * 2)
end
if after >= 0 then
  redis.call('HSET', state, 'hold', math.max(get('hold') or 0, now + after))
elseif not held then
  redis.call('HSET', state, 'hold', now + math.min(window, pause * 2 ^ math.min(pauses, 10)), 'pauses', pauses + 1)
end
if cause == 'limit' then
  margin, widened = margin - widened, 0
elseif not held then
  local wider = math.min(largest, margin + 50)
  margin, widened = wider, widened + wider - margin
end
redis.call('HSET', state, 'canary', 'open', 'cause', cause, 'margin', margin, 'widened', widened)
return 1
