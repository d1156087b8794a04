-- KEYS[3]: the items archived last, a sorted set by the server's time in seconds. KEYS[4]: see include/trouble.lua.
-- ARGV: id, new state, comma-separated states it may come from, then pairs of a counter and what a real move adds to it.
-- Returns { 1: moved, or was there already, 0: refused; 1 when the batch has no live item left }.
-- @include "batch"
-- @include "trouble"
local id, to = ARGV[1], ARGV[2]
local was = stateOf(id)
if was == to then return { 1, ended() } end
if was == '' or not string.find(',' .. ARGV[3] .. ',', ',' .. was .. ',', 1, true) then return { 0, 0 } end
set(id, was, to)
noteTrouble(KEYS[4], id, was, to)
if to == 'archived' then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[3], string.format('%.3f', time[1] + time[2] / 1000000), id)
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -601)
end
for index = 4, #ARGV, 2 do redis.call('HINCRBYFLOAT', batch, ARGV[index], ARGV[index + 1]) end
return { 1, ended() }
