-- KEYS[3]: see include/trouble.lua. ARGV: triples of an id, the state it was seen in ('' for none) and its new state.
-- Returns the ids whose state was still as seen.
-- @include "batch"
-- @include "trouble"
local admitted = {}
for index = 1, #ARGV, 3 do
  local was = stateOf(ARGV[index])
  if was == ARGV[index + 1] and was ~= ARGV[index + 2] then
    set(ARGV[index], was, ARGV[index + 2])
    noteTrouble(KEYS[3], ARGV[index], was, ARGV[index + 2])
    table.insert(admitted, ARGV[index])
  end
end
return admitted
