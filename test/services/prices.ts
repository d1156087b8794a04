import { fileURLToPath } from 'node:url';

/** What an image costs in tests: the simulator charges it, and the product reckons with it. So a new prices.json changes no test. */
export const TEST_PRICES = { pro: 8, max: 12 };
/** The same for settings. In the form of former versions, which tests of upgrades run, too. */
export const WITH_TEST_PRICES = { FLUX_PRICES: fileURLToPath(new URL('prices.json', import.meta.url)) };
