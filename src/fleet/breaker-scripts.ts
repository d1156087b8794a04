/**
 * The gate, in Lua: a hash that is there while submitting is stopped for the fleet. Fields: refusal, message, since, and for probing by
 * single submits: `probeAt` (absent: not before someone permits it), `wait` (until the next one, doubled by each) and `probe` (the
 * holder that was let through last). Times are epoch milliseconds by the server's clock.
 */
export const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Expects the locals `gate` and `now`. */
export const GATE = `
local LONGEST_WAIT = 600000
local function gateSays(holder)
  if redis.call('EXISTS', gate) == 0 then return 'open' end
  if holder and redis.call('HGET', gate, 'probe') == holder then return 'probe' end
  local probeAt = tonumber(redis.call('HGET', gate, 'probeAt') or '')
  return probeAt and probeAt <= now and 'due' or 'closed'
end
local function letThrough(holder)
  redis.call('HSET', gate, 'probe', holder)
  local wait = tonumber(redis.call('HGET', gate, 'wait') or '')
  if not wait then
    redis.call('HDEL', gate, 'probeAt')
  else
    redis.call('HSET', gate, 'probeAt', now + wait, 'wait', math.min(wait * 2, LONGEST_WAIT))
  end
end
`;

/**
 * KEYS: the gate. ARGV: refusal, message, milliseconds until a submit is let through as a probe or '', 1 when a probe tells.
 * The first reason stays, but for what a probe tells: that is news.
 */
export const CLOSE = `${CLOCK}
local gate, refusal, message, wait = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local was = redis.call('HGET', gate, 'refusal')
if was and (ARGV[4] ~= '1' or was == refusal) then
  if was == refusal then redis.call('HSET', gate, 'message', message) end
  return 0
end
redis.call('DEL', gate)
redis.call('HSET', gate, 'refusal', refusal, 'message', message, 'since', now)
if wait then redis.call('HSET', gate, 'probeAt', now + wait, 'wait', math.min(wait * 2, 600000)) end
return 1
`;

/** KEYS: the gate. The next submit may go, alone. */
export const ALLOW_PROBE = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'probeAt', 0)
return 1
`;

const BUCKET_MS = 10_000;
/** Expects the locals `now` and `sends`: how many submits were let through, by tens of seconds. */
export const SENDS = `
local BUCKET, KEPT = ${BUCKET_MS}, 6
local function countSend()
  local bucket = math.floor(now / BUCKET)
  if redis.call('HINCRBY', sends, bucket, 1) > 1 then return end
  for _, old in ipairs(redis.call('HKEYS', sends)) do
    if tonumber(old) <= bucket - KEPT then redis.call('HDEL', sends, old) end
  end
end
local function sendsLately()
  local count = 0
  for index = math.floor(now / BUCKET) - KEPT + 1, math.floor(now / BUCKET) do
    count = count + tonumber(redis.call('HGET', sends, index) or 0)
  end
  return count
end
`;

/**
 * KEYS: times of submits whose outcome is unknown (a sorted set), submits by tens of seconds. ARGV: a name for this one.
 * Returns { unknown within the last minute, submits within it }.
 */
export const NOTE_UNKNOWN = `${CLOCK}
local unknowns, sends = KEYS[1], KEYS[2]
${SENDS}
redis.call('ZADD', unknowns, now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', unknowns, '-inf', now - 60000)
redis.call('PEXPIRE', unknowns, 60000)
return { redis.call('ZCARD', unknowns), sendsLately() }
`;
