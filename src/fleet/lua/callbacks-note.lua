-- A task has ended: had its callback come before the poll that found it? KEYS: the account's hash, the hash of those that stay away.
-- ARGV: model, 1 or 0, when it was submitted, account, how many to keep, milliseconds until all is forgotten, the fewest and the
-- most in a row that make them stay away, so many in a row that come again.
-- `latest` and `latest:<model>` are texts of 1 and 0, the newest last. While callbacks stay away those of models are not kept: the share
-- begins anew.
-- Returns 1 when callbacks stay away from now on.
-- @include "clock"
local key, away = KEYS[1], KEYS[2]
local model, came, account = 'latest:' .. ARGV[1], ARGV[2], ARGV[4]
local kept, ttl, least, most, back = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local known = redis.call('HMGET', key, 'askedSince', 'latest', model, 'awaySince', 'cameAt')
-- It asked for none, as far as is known: Redis was emptied, or callbacks were switched on since.
if not known[1] or tonumber(ARGV[3]) < tonumber(known[1]) then return 0 end
local latest = string.sub((known[2] or '') .. came, -kept)
redis.call('HSET', key, 'latest', latest)
redis.call('PEXPIRE', key, ttl)
if came == '1' then redis.call('HSET', key, 'cameAt', now) end
local run = #string.match(latest, came .. '*$')
local since = tonumber(known[4])
local function tell()
  local facts = { since = since, last = now, missed = run, cameAt = tonumber(known[5]) }
  redis.call('HSET', away, account, cjson.encode(facts))
end
if since then
  if came == '0' then
    tell()
  elseif run >= back then
    redis.call('HDEL', key, 'awaySince')
    redis.call('HSET', key, 'latest', string.sub(latest, -run), model, string.sub(latest, -run))
    redis.call('HDEL', away, account)
  end
  return 0
end
redis.call('HSET', key, model, string.sub((known[3] or '') .. came, -kept))
if came == '1' then return 0 end
-- So many in a row as would by chance be missed one time in a thousand, by the share of those before.
local before = string.sub(latest, 1, -run - 1)
local _, ones = string.gsub(before, '1', '')
local share = ones / (#before + 1)
local needed = share == 0 and most or math.min(most, math.max(least, math.ceil(math.log(0.001) / math.log(1 - share))))
if run < needed then return 0 end
since = now
for _, field in ipairs(redis.call('HKEYS', key)) do
  if string.sub(field, 1, 7) == 'latest:' then redis.call('HDEL', key, field) end
end
redis.call('HSET', key, 'awaySince', now)
tell()
return 1
