-- A job whose data is there and that no list has: a script of BullMQ ended in its middle, as under an ACL that forbids one of its
-- commands. Nobody would ever run it, and adding it again does nothing. It is put among the delayed jobs, due at once.
-- KEYS: the job, its lock, delayed, prioritized, completed, failed, waiting-children, then the lists. ARGV: job id, score.
-- Returns 1 when it was put back.
local id = ARGV[1]
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
for at = 3, 7 do
  if redis.call('ZSCORE', KEYS[at], id) then return 0 end
end
for at = 8, #KEYS do
  if redis.call('LPOS', KEYS[at], id) then return 0 end
end
redis.call('ZADD', KEYS[3], ARGV[2], id)
return 1
