-- What a person has said of the batch. KEYS[3]: the pause of the whole fleet.
local function personSays()
  if redis.call('HEXISTS', batch, 'cancelled') == 1 then return 'cancelled' end
  if redis.call('HEXISTS', batch, 'paused') == 1 or redis.call('EXISTS', KEYS[3]) == 1 then return 'paused' end
  return 'admitted'
end
