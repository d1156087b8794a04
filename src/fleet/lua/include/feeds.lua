-- `feeds`: the batch's feeds, a hash. Each has `<feed>` (its file as JSON) and `<feed>:is`.
local function dropFeed(feeds, lines, feed)
  redis.call('HDEL', feeds, feed, feed .. ':is', feed .. ':at')
  redis.call('UNLINK', lines)
end
-- Whether any feed has something left to feed, or jobs of what was fed are still to be added.
local function hasFeeds(feeds)
  if redis.call('HEXISTS', feeds, 'adding') == 1 then return true end
  for _, field in ipairs(redis.call('HKEYS', feeds)) do
    if string.sub(field, -3) == ':is' and redis.call('HGET', feeds, field) ~= 'dropped' then return true end
  end
  return false
end
