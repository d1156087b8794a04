-- The jobs of what was fed last are added. KEYS[3]: the batch's feeds. KEYS[4]: names of batches that have something to feed.
-- ARGV: what told these jobs. Another's is left alone.
-- @include "batch"
-- @include "feeds"
if redis.call('HGET', KEYS[3], 'adding') == ARGV[1] then redis.call('HDEL', KEYS[3], 'adding') end
if not hasFeeds(KEYS[3]) then redis.call('SREM', KEYS[4], name()) end
return 1
