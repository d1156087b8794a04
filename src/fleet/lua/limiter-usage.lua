-- ARGV: window, lease, timeout. Returns { limit; requests that the provider has seen within the last window; milliseconds of pause left;
-- sentTotal; refusedTotal; margin; when a request was refused last, or -1; milliseconds until the first and until the last of the
-- slots that are in use may be used again }.
-- Slots do not tell what the provider has seen: one that is handed on counts from then on as its next holder's.
-- @include "limiter"
purge()
local hold = math.max(0, (get('hold') or 0) - now)
-- In `sent` are also those whose claim is being written: held by a lease, where what went out is held for its timeout and a window.
local wentOut = tonumber(ARGV[3]) > tonumber(ARGV[2]) and '(' .. (now + tonumber(ARGV[2])) or '-inf'
local seen = redis.call('ZCOUNT', sent, wentOut, '+inf') + redis.call('ZCOUNT', accepted, '(' .. (now - tonumber(ARGV[1])), '+inf')
local margin = get('margin') or 0
local first, last
local function use(at)
  local wait = math.max(0, math.min(at - now, tonumber(ARGV[1]) + margin))
  first, last = math.min(first or wait, wait), math.max(last or wait, wait)
end
-- A promised slot is used when its waiter's time has come; one without an answer is free a window after that.
for _, from in ipairs({ 0, -1 }) do
  local promised = redis.call('ZRANGE', reserved, from, from, 'WITHSCORES')
  local answered = redis.call('ZRANGE', free, from, from, 'WITHSCORES')
  if promised[2] then use(tonumber(promised[2]) - tonumber(ARGV[2])) end
  if answered[2] then use(tonumber(answered[2])) end
end
if redis.call('ZCARD', sent) > 0 then use(now + tonumber(ARGV[1]) + margin) end
return { get('limit') or -1, seen, hold, get('sentTotal') or 0, get('refusedTotal') or 0, margin, get('refusedAt') or -1, first or 0, last or 0 }
