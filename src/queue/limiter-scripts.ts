/**
 * The sliding log of slots, in Lua, on the server's clock. Three sorted sets hold a token for each slot in use:
 *
 * - `reserved`: given to a waiter that has not sent yet; score: its time to send and a lease, after which the waiter is dead
 * - `sent`: its request goes out next or is on the way, unanswered; score: when it is given up as dead
 * - `free`: answered; score: when the slot may be used again, i.e. sent + window + margin. Refused ones start with `r:`
 *
 * and one hash, `state`: epoch, born, configured, limit, margin, hold, canary, canaryUntil, refusals (in a row within a
 * window), lastRefusal, pauses (in a row), probeAt, probeEvery, sentTotal, refusedTotal. All times are milliseconds.
 */
const PRELUDE = `
local reserved, sent, free, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function get(field) return tonumber(redis.call('HGET', state, field)) end
local function purge()
  redis.call('ZREMRANGEBYSCORE', reserved, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', sent, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', free, '-inf', now)
end
local function accepted()
  local count = 0
  for _, token in ipairs(redis.call('ZRANGE', free, 0, -1)) do
    if string.sub(token, 1, 2) ~= 'r:' then count = count + 1 end
  end
  return count
end
`;

/**
 * Gives the caller a slot, perhaps one that becomes free only later.
 * ARGV: token, max, window, margin, lease, the epoch that the caller knows ('' on its first call), a new epoch.
 * Returns { milliseconds until it may be sent, or -1 when none can be promised yet; epoch }.
 */
export const TAKE = `${PRELUDE}
local token, max, window, margin, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local epoch = redis.call('HGET', state, 'epoch')
if not epoch then
  epoch = ARGV[7]
  redis.call('HSET', state, 'epoch', epoch, 'born', now, 'configured', max, 'limit', max, 'margin', margin)
elseif get('configured') ~= max then
  redis.call('HSET', state, 'configured', max, 'limit', max)
  redis.call('HDEL', state, 'probeAt', 'probeEvery')
end
-- The caller has used a log that is gone: what it and others sent until this one began may still be within the window.
if ARGV[6] ~= '' and ARGV[6] ~= epoch then
  redis.call('HSET', state, 'hold', math.max(get('hold') or 0, (get('born') or now) + window))
end
purge()
local used = redis.call('ZCARD', reserved) + redis.call('ZCARD', sent) + redis.call('ZCARD', free)
local limit = get('limit')
if used < limit then
  redis.call('ZADD', reserved, now + lease, token)
  return { 0, epoch }
end
-- When the limit has shrunk, the earliest answered slots are not handed on: as many as there are too many.
local rank = used - limit
local slot = redis.call('ZRANGE', free, rank, rank, 'WITHSCORES')
if #slot == 0 then return { -1, epoch } end
redis.call('ZREMRANGEBYRANK', free, 0, rank)
local freeAt = tonumber(slot[2])
redis.call('ZADD', reserved, freeAt + lease, token)
return { freeAt - now, epoch }
`;

/**
 * Asked twice: before a waiter gets its slot, so that pauses and full houses are waited out while nothing has been done yet,
 * and just before the request goes out, should a pause have begun meanwhile. Between the two the slot counts as sent.
 * ARGV: token, window, timeout, most running tasks (0: no cap), number of lists, lease, 1 when the request goes out now.
 * KEYS from 5: lists and sorted sets that hold a member for each running task, the lists first.
 * Returns 0: go on · n > 0: ask again in n milliseconds · -1: the slot was given up as dead, take another.
 */
export const READY = `${PRELUDE}
local token, window, timeout, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lists, lease = tonumber(ARGV[5]), tonumber(ARGV[6])
purge()
local isNew = redis.call('ZSCORE', reserved, token)
if not isNew and not redis.call('ZSCORE', sent, token) then return -1 end
local function wait(ms)
  redis.call('ZADD', isNew and reserved or sent, now + ms + lease, token)
  return ms
end
local hold = get('hold') or 0
if hold > now then return wait(hold - now) end
local canary = redis.call('HGET', state, 'canary')
if canary and canary ~= 'open' and canary ~= token and (get('canaryUntil') or 0) > now then return wait(50) end
if isNew and most > 0 then
  local running = redis.call('ZCARD', sent)
  for index = 5, #KEYS do
    running = running + redis.call(index - 4 <= lists and 'LLEN' or 'ZCARD', KEYS[index])
  end
  if running >= most then return wait(100) end
end
if canary then redis.call('HSET', state, 'canary', token, 'canaryUntil', now + timeout) end
redis.call('ZREM', reserved, token)
redis.call('ZADD', sent, now + (ARGV[7] == '1' and timeout + window or lease), token)
if isNew then redis.call('HINCRBY', state, 'sentTotal', 1) end
return 0
`;

/**
 * The request was answered, or will never be, and was not refused for its rate. ARGV: token, milliseconds since it was
 * sent, window, smallest margin.
 */
export const SETTLE = `${PRELUDE}
local token, ago, window, smallest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local margin = get('margin') or smallest
redis.call('ZREM', sent, token)
redis.call('ZADD', free, now - ago + window + margin, token)
if margin > smallest then redis.call('HSET', state, 'margin', math.max(smallest, margin - 1)) end
if redis.call('HGET', state, 'canary') == token then redis.call('HDEL', state, 'canary', 'canaryUntil', 'pauses') end
local limit, probeAt = get('limit'), get('probeAt')
if probeAt and now >= probeAt then
  limit = limit + 1
  redis.call('HSET', state, 'limit', limit, 'probeAt', now + get('probeEvery'))
  if limit >= get('configured') then redis.call('HDEL', state, 'probeAt', 'probeEvery') end
end
return 1
`;

/**
 * The request was refused for its rate (429). It pauses the fleet once; the first to go after that goes alone.
 * ARGV: token, milliseconds since it was sent, window, Retry-After in milliseconds or -1, pause, largest margin.
 * A third refusal within a window shows a limit that is lower than configured: it becomes what was accepted. From then on
 * each refusal lowers it by one and doubles the time to the next probe upward.
 */
export const REFUSE = `${PRELUDE}
local token, ago, window, after, pause, largest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
redis.call('ZREM', sent, token)
redis.call('HINCRBY', state, 'refusedTotal', 1)
local margin = math.min(largest, (get('margin') or 0) + 50)
redis.call('ZADD', free, now - ago + window + margin, 'r:' .. token)
purge()
local refusals = ((get('lastRefusal') or 0) > now - window) and (get('refusals') or 0) + 1 or 1
redis.call('HSET', state, 'margin', margin, 'refusals', refusals, 'lastRefusal', now)
local held = (get('hold') or 0) > now
if after >= 0 then
  redis.call('HSET', state, 'hold', math.max(get('hold') or 0, now + after))
elseif not held then
  local pauses = redis.call('HINCRBY', state, 'pauses', 1)
  redis.call('HSET', state, 'hold', now + math.min(window, pause * 2 ^ math.min(pauses - 1, 10)))
end
redis.call('HSET', state, 'canary', 'open')
local limit, every = get('limit') or 1, get('probeEvery')
if every then
  if not held then
    every = math.min(every * 2, window * 32)
    redis.call('HSET', state, 'limit', math.max(1, limit - 1), 'probeEvery', every, 'probeAt', now + every)
  elseif refusals >= 3 then
    redis.call('HSET', state, 'limit', math.max(1, math.min(limit, accepted() + redis.call('ZCARD', sent))))
  end
elseif refusals >= 3 then
  redis.call('HSET', state, 'limit', math.max(1, math.min(limit, accepted() + redis.call('ZCARD', sent))))
  redis.call('HSET', state, 'probeEvery', window * 2, 'probeAt', now + window * 2)
end
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
