-- `troubled`: a key, a sorted set of the items that failed or are held, by the server's time in seconds. It holds the latest 500 only,
-- so that a page need not look through all items.
local function noteTrouble(troubled, id, was, to)
  if to == 'failed' or to == 'held' then
    local time = redis.call('TIME')
    redis.call('ZADD', troubled, string.format('%.3f', time[1] + time[2] / 1000000), id)
    redis.call('ZREMRANGEBYRANK', troubled, 0, -501)
  elseif was == 'failed' or was == 'held' then
    redis.call('ZREM', troubled, id)
  end
end
