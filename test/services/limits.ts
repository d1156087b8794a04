/**
 * Limits end what hangs, and say no more than that: a machine that has much else to do may take ten times as long as a quiet
 * one. A condition's is the shorter one, so that it is told what was waited for.
 */
export const CONDITION_MS = 300_000;
export const TEST_MS = 900_000;
