/**
 * The sliding log of slots, in Lua, on the server's clock. Three sorted sets hold a token for each slot in use:
 *
 * - `reserved`: given to a waiter that has not sent yet; score: its time to send and a lease, after which the waiter is dead
 * - `sent`: its request goes out next or is on the way, unanswered; score: when it is given up as dead
 * - `free`: answered; score: when the slot may be used again, i.e. sent + window + margin
 *
 * a fourth, `accepted`, what the provider let through within the last window, by the time it was sent: its limit is learned from
 * that; and one hash, `state`: the epoch, what is counted, the margin, the pause (`hold`), the canary that goes alone after it, and
 * what was learned (see REFUSE). All times are milliseconds.
 */
const PRELUDE = `
local reserved, sent, free, accepted, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function get(field) return tonumber(redis.call('HGET', state, field)) end
local function purge()
  redis.call('ZREMRANGEBYSCORE', reserved, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', sent, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', free, '-inf', now)
end
-- Milliseconds to wait for a pause, for a canary on its way or for room at the provider; 0: the way is clear.
local function obstacle(token, known, most, lists)
  local hold, canary = tonumber(known[1]) or 0, known[2]
  if hold > now then return hold - now end
  if canary and canary ~= 'open' and canary ~= token and (tonumber(known[3]) or 0) > now then return 50 end
  if most == 0 then return 0 end
  local running = redis.call('ZCARD', sent)
  for index = 6, #KEYS do
    running = running + redis.call(index - 5 <= lists and 'LLEN' or 'ZCARD', KEYS[index])
  end
  return running < most and 0 or 100
end
local function go(token, canary, timeout, isNew, untilDead)
  if canary then redis.call('HSET', state, 'canary', token, 'canaryUntil', now + timeout) end
  redis.call('ZADD', sent, now + untilDead, token)
  if isNew then redis.call('HINCRBY', state, 'sentTotal', 1) end
end
`;

/**
 * Gives the caller a slot, perhaps one that becomes free only later. KEYS from 6 as in READY.
 * ARGV: token, max, window, margin, lease, the epoch that the caller knows ('' on its first call), a new epoch, timeout, most
 * running tasks, number of lists, 1 when the request goes out at once, shortest and longest wait where no slot can be promised.
 * Returns { milliseconds until it may be sent, or -n when none can be promised before n milliseconds; epoch; 1 when the way is
 * clear, so that READY need not be asked }.
 */
export const TAKE = `${PRELUDE}
local token, max, window, margin, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local timeout, shortest, longest = tonumber(ARGV[8]), tonumber(ARGV[12]), tonumber(ARGV[13])
local known = redis.call('HMGET', state, 'hold', 'canary', 'canaryUntil', 'epoch', 'born', 'configured', 'limit')
local epoch, born, limit = known[4], tonumber(known[5]) or now, tonumber(known[7])
if not epoch then
  epoch, limit = ARGV[7], max
  redis.call('HSET', state, 'epoch', epoch, 'born', now, 'configured', max, 'limit', max, 'margin', margin)
elseif tonumber(known[6]) ~= max then
  limit = max
  redis.call('HSET', state, 'configured', max, 'limit', max)
  redis.call('HDEL', state, 'good', 'floor', 'step', 'probeAt', 'probeEvery')
end
-- The caller has used a log that is gone: what it and others sent until this one began may still be within the window.
if ARGV[6] ~= '' and ARGV[6] ~= epoch then
  known[1] = math.max(tonumber(known[1]) or 0, born + window)
  redis.call('HSET', state, 'hold', known[1])
end
purge()
local used = redis.call('ZCARD', reserved) + redis.call('ZCARD', sent) + redis.call('ZCARD', free)
if used < limit then
  local isClear = obstacle(token, known, tonumber(ARGV[9]), tonumber(ARGV[10])) == 0
  if isClear then
    go(token, known[2], timeout, true, ARGV[11] == '1' and timeout + window or lease)
  else
    redis.call('ZADD', reserved, now + lease, token)
  end
  return { 0, epoch, isClear and 1 or 0 }
end
-- When the limit has shrunk, the earliest answered slots are not handed on: as many as there are too many.
local rank = used - limit
local slot = redis.call('ZRANGE', free, rank, rank, 'WITHSCORES')
if #slot == 0 then
  -- The next slot to be answered is at the earliest the next to be sent.
  local first = redis.call('ZRANGE', reserved, 0, 0, 'WITHSCORES')
  local wait = #first == 0 and shortest or tonumber(first[2]) - lease - now
  return { -math.max(shortest, math.min(longest, wait)), epoch, 0 }
end
redis.call('ZREMRANGEBYRANK', free, 0, rank)
local freeAt = tonumber(slot[2])
redis.call('ZADD', reserved, freeAt + lease, token)
return { freeAt - now, epoch, 0 }
`;

/**
 * Asked twice: before a waiter gets its slot, so that pauses and full houses are waited out while nothing has been done yet,
 * and just before the request goes out, should a pause have begun meanwhile. Between the two the slot counts as sent.
 * ARGV: token, window, timeout, most running tasks (0: no cap), number of lists, lease, 1 when the request goes out now.
 * KEYS from 6: lists and sorted sets that hold a member for each running task, the lists first.
 * Returns 0: go on · n > 0: ask again in n milliseconds · -1: the slot was given up as dead, or the limit has shrunk since it was
 * promised: take another.
 */
export const READY = `${PRELUDE}
local token, window, timeout, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lists, lease = tonumber(ARGV[5]), tonumber(ARGV[6])
purge()
local isNew = redis.call('ZSCORE', reserved, token)
if not isNew and not redis.call('ZSCORE', sent, token) then return -1 end
local known = redis.call('HMGET', state, 'hold', 'canary', 'canaryUntil', 'limit')
if isNew and redis.call('ZCARD', sent) + redis.call('ZCARD', free) >= tonumber(known[4]) then
  redis.call('ZREM', reserved, token)
  return -1
end
local wait = obstacle(token, known, isNew and most or 0, lists)
if wait > 0 then
  redis.call('ZADD', isNew and reserved or sent, now + wait + lease, token)
  return wait
end
redis.call('ZREM', reserved, token)
go(token, known[2], timeout, isNew, ARGV[7] == '1' and timeout + window or lease)
return 0
`;

/**
 * The request was answered, or will never be, and was not refused for its rate. ARGV: token, milliseconds since it was
 * sent, window, smallest margin.
 * A learned limit that has held for a window, with every slot in use, is raised: by one, then by more each time.
 */
export const SETTLE = `${PRELUDE}
local token, ago, window, smallest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('HMGET', state, 'margin', 'canary', 'probeAt', 'limit')
local margin, limit = tonumber(known[1]) or smallest, tonumber(known[4])
redis.call('ZREM', sent, token)
redis.call('ZADD', free, now - ago + window + margin, token)
redis.call('ZADD', accepted, now - ago, token)
redis.call('ZREMRANGEBYSCORE', accepted, '-inf', now - window)
if margin > smallest then redis.call('HSET', state, 'margin', math.max(smallest, margin - 1)) end
if known[2] == token then redis.call('HDEL', state, 'canary', 'canaryUntil', 'pauses', 'cause', 'widened') end
if known[3] and now >= tonumber(known[3]) then
  purge()
  local used = redis.call('ZCARD', reserved) + redis.call('ZCARD', sent) + redis.call('ZCARD', free)
  local configured, step = get('configured'), get('step') or 1
  if limit >= configured then
    redis.call('HDEL', state, 'good', 'floor', 'step', 'probeAt', 'probeEvery')
  elseif used >= limit then
    local raised = math.min(configured, limit + step)
    step = math.min(step * 2, math.max(1, math.floor(raised / 4)))
    redis.call('HSET', state, 'good', limit, 'limit', raised, 'step', step, 'probeAt', now + window + margin)
  end
end
return 1
`;

/**
 * The request was refused for its rate (429). It pauses the fleet once; the first to go after that, the canary, goes alone.
 * ARGV: token, milliseconds since it was sent, window, Retry-After in milliseconds or -1, pause, largest margin.
 *
 * A refusal is taken for a matter of timing at first, and widens the margin. But a refused canary was early by no few milliseconds: the limit is lower than thought, and is what was accepted within the
 * window. One that is less than half of the limit in force is believed at the third refusal in a row only: it may be a provider
 * in trouble. So is a limit where canaries go through, as they do after a good Retry-After, and volley after volley is refused.
 * After that the limit is probed upward; a probe that is refused doubles the time to the next.
 * `good`: the highest limit that held · `floor`: `good` when the last probe began · `cause` of the last refusal: 'limit', or
 * 'unknown' until the canary tells.
 */
export const REFUSE = `${PRELUDE}
local token, ago, window, after, pause, largest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local margin, widened = get('margin') or 0, get('widened') or 0
redis.call('ZREM', sent, token)
redis.call('HINCRBY', state, 'refusedTotal', 1)
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
`;

/** Nothing was sent. ARGV: token, milliseconds from now when the slot is free (0 or less: at once). */
export const RELEASE = `${PRELUDE}
local token, ahead = ARGV[1], tonumber(ARGV[2])
local wasSent = redis.call('ZREM', sent, token)
if wasSent == 1 then redis.call('HINCRBY', state, 'sentTotal', -1) end
local had = redis.call('ZREM', reserved, token) + wasSent
if had > 0 and ahead > 0 then redis.call('ZADD', free, now + ahead, token) end
if redis.call('HGET', state, 'canary') == token then redis.call('HSET', state, 'canary', 'open') end
return had
`;

/** Returns { limit, in use within the last window, milliseconds of pause left, sentTotal, refusedTotal, margin }. */
export const USAGE = `${PRELUDE}
purge()
local hold = math.max(0, (get('hold') or 0) - now)
local used = redis.call('ZCARD', sent) + redis.call('ZCARD', free)
return { get('limit') or -1, used, hold, get('sentTotal') or 0, get('refusedTotal') or 0, get('margin') or 0 }
`;
