import { unpackedPackages } from './debian-packages.mjs';

/** Beside the one of this machine, on which `npm test` runs. */
export const REDIS_SERVERS = [
  { name: 'redis-trixie', release: 'trixie', program: 'redis-server' },
  { name: 'valkey-trixie', release: 'trixie', program: 'valkey-server' },
];

/** The folder with its `redis-server`, for the front of a PATH. */
export const redisServer = ({ name, release, program }) =>
  unpackedPackages({ name, release, packages: [program], programs: { 'redis-server': `usr/bin/${program}` } });
