-- A task has ended: had its callback come before the poll that found it? KEYS: the account's hash, the hash of those that stay away.
-- ARGV: model, 1 or 0, when it was submitted and when it ended, account, how many to keep, milliseconds until all is forgotten, the
-- fewest and the most in a row that make them stay away, so many in a row that come again.
-- `latest` and `latest:<model>` are texts of 1 and 0, the newest last. While callbacks stay away those of models are not kept: the share
-- begins anew. `missed` counts in a row, of tasks that ended after the latest that was called back (`cameFor`): those that are not called
-- back are found late, so that at the end of a batch all of these come in a row.
-- Returns 1 when callbacks stay away from now on.
-- @include "clock"
local key, away = KEYS[1], KEYS[2]
local model, came, endedAt, account = 'latest:' .. ARGV[1], ARGV[2], tonumber(ARGV[4]), ARGV[5]
local kept, ttl, least, most, back = tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local known = redis.call('HMGET', key, 'askedSince', 'latest', model, 'awaySince', 'cameAt', 'cameFor', 'missed')
-- It asked for none, as far as is known: Redis was emptied, or callbacks were switched on since.
if not known[1] or tonumber(ARGV[3]) < tonumber(known[1]) then return 0 end
local latest = string.sub((known[2] or '') .. came, -kept)
local since, cameFor, missed = tonumber(known[4]), tonumber(known[6]) or 0, tonumber(known[7]) or 0
if came == '1' then
  cameFor, missed = math.max(cameFor, endedAt), 0
  redis.call('HSET', key, 'cameAt', now)
elseif endedAt > cameFor then
  missed = missed + 1
end
redis.call('HSET', key, 'latest', latest, 'cameFor', cameFor, 'missed', missed)
redis.call('PEXPIRE', key, ttl)
local function tell()
  local facts = { since = since, last = now, missed = missed, cameAt = tonumber(known[5]) }
  redis.call('HSET', away, account, cjson.encode(facts))
end
if since then
  local run = #string.match(latest, '1*$')
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
-- So many in a row as would by chance be missed one time in a thousand, by the share of the others.
local _, ones = string.gsub(latest, '1', '')
local share = ones / (math.max(ones, #latest - missed) + 1)
local needed = share == 0 and most or math.min(most, math.max(least, math.ceil(math.log(0.001) / math.log(1 - share))))
if missed < needed then return 0 end
since = now
for _, field in ipairs(redis.call('HKEYS', key)) do
  if string.sub(field, 1, 7) == 'latest:' then redis.call('HDEL', key, field) end
end
redis.call('HSET', key, 'awaySince', now)
tell()
return 1
