-- Makes lines of a feed queued items. KEYS[3]: the batch's feeds. KEYS[4]: the feed's lines that are left. KEYS[5]: former items.
-- KEYS[6]: held by who puts the feeds in order.
-- ARGV: the feed, how far it is, what tells the jobs that are to be added now (see fleet/feeds.ts), then pairs of a line and its
-- item's id.
-- Returns the ids whose job is to be added. -1: nothing is to be fed now, since a person has said so, or the feed is another one.
-- An item that is known already, as by another enqueue at the same time, keeps its state.
-- @include "batch"
-- @include "feeds"
local feed, lines = ARGV[1], KEYS[4]
local is = redis.call('HGET', KEYS[3], feed .. ':is')
if redis.call('HEXISTS', KEYS[3], 'adding') == 1 then return -1 end
if redis.call('EXISTS', KEYS[6]) == 1 or (is ~= 'wanted' and is ~= 'former') then return -1 end
if redis.call('HEXISTS', batch, 'cancelled') == 1 or redis.call('HEXISTS', batch, 'created') == 0 then return -1 end
local fed, taken = {}, 0
for index = 4, #ARGV, 2 do
  local line, id = ARGV[index], ARGV[index + 1]
  if redis.call('SETBIT', lines, line, 0) == 1 then
    taken = taken + 1
    if stateOf(id) == '' then
      redis.call('HSET', items, id, 'queued')
      table.insert(fed, id)
      if is == 'former' then redis.call('SADD', KEYS[5], id) end
    end
  end
end
if taken == 0 then return fed end
redis.call('HINCRBY', batch, 'n:queued', #fed)
redis.call('HINCRBY', batch, 'version', #fed)
redis.call('HSET', KEYS[3], 'adding', ARGV[3], feed .. ':at', ARGV[2])
redis.call('HINCRBY', batch, 'unfed', -taken)
if is == 'former' then redis.call('HINCRBY', batch, 'unfedFormer', -taken) end
if redis.call('BITPOS', lines, 1) == -1 then dropFeed(KEYS[3], lines, feed) end
redis.call('SADD', KEYS[#KEYS], name())
return fed
