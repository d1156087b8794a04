#!/usr/bin/env node
import { main } from '../src/cli.ts';

await main(process.argv, async () => (await import('../workers/fleet.ts')).startFleet);
