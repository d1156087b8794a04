-- KEYS[3]: the pause of the fleet. KEYS[4]: the circuit breaker. KEYS[5]: the batch's charges.
-- KEYS[6]: its items over budget. KEYS[7]: how many submits went out lately.
-- @include "clock"
local breaker, charges, overBudget, sends = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
-- @include "breaker"
-- @include "budget"
-- @include "sends"
