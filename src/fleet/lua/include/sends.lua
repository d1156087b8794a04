-- How many submits were permitted in the last minute, counted by tens of seconds. Expects the locals `now` and `sends`.
local BUCKET, KEPT = 10000, 6
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
