-- Runs a script for several callers at once that have the same KEYS (see fleet/script.ts).
-- ARGV: how many callers, then for each argument of the script how many values follow, one where it is the same for all, and these.
-- Returns an answer for each caller; an error where its run failed, which is nothing to the others.
local function run(KEYS, ARGV)
-- @script
end
local callers, args, at = tonumber(ARGV[1]), {}, 2
for caller = 1, callers do args[caller] = {} end
for place = 1, math.huge do
  if at > #ARGV then break end
  local values = tonumber(ARGV[at])
  for caller = 1, callers do args[caller][place] = ARGV[at + math.min(caller, values)] end
  at = at + 1 + values
end
local answers = {}
for caller = 1, callers do
  local ok, answer = pcall(run, KEYS, args[caller])
  if not ok then answer = { err = type(answer) == 'table' and answer.err or tostring(answer) } end
  -- nil would end the answers here.
  if answer == nil then answer = false end
  answers[caller] = answer
end
return answers
