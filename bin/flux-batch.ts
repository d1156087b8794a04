#!/usr/bin/env node
import { main } from '../src/cli.ts';
import { startFleet } from '../workers/fleet.ts';

await main(process.argv, startFleet);
