-- Puts a batch's feeds in the place of those that it has. KEYS[3]: the feeds. KEYS[4]: held by who may do it. KEYS[5]: names of
-- batches that have something to feed. From KEYS[6] on the lines of each new feed, then, but for the last, those of the former ones.
-- ARGV: who asks, the window, '1' where they go several ways, then for each new feed its name, its file as JSON, and what it is.
-- Returns 0 when somebody else holds them.
-- @include "batch"
-- @include "feeds"
local feeds, new = KEYS[3], (#ARGV - 3) / 3
if redis.call('GET', KEYS[4]) ~= ARGV[1] then return 0 end
local adding = redis.call('HGET', feeds, 'adding')
redis.call('DEL', feeds)
for index = 6 + new, #KEYS - 1 do redis.call('UNLINK', KEYS[index]) end
local count = { wanted = 0, former = 0, dropped = 0 }
for index = 1, new do
  local feed, file, is = ARGV[3 * index + 1], ARGV[3 * index + 2], ARGV[3 * index + 3]
  redis.call('PERSIST', KEYS[5 + index])
  redis.call('HSET', feeds, feed, file, feed .. ':is', is)
  count[is] = count[is] + redis.call('BITCOUNT', KEYS[5 + index])
end
if adding then redis.call('HSET', feeds, 'adding', adding) end
redis.call('HSET', batch, 'unfed', count.wanted + count.former, 'unfedFormer', count.former, 'dropped', count.dropped, 'window', ARGV[2])
if ARGV[3] == '1' then redis.call('HSET', batch, 'full', -1) else redis.call('HDEL', batch, 'full') end
redis.call('HINCRBY', batch, 'version', 1)
redis.call(hasFeeds(feeds) and 'SADD' or 'SREM', KEYS[5], name())
redis.call('SADD', KEYS[#KEYS], name())
return 1
