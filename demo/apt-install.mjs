import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** While this file exists and exits with 101, Debian packages do not start their services on installation. */
const POLICY = '/usr/sbin/policy-rc.d';

export function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export function canInstall() {
  return process.getuid?.() === 0 && isOnPath('apt-get');
}

/** Installs Debian packages without starting their services. Prints output only on failure. Returns whether it worked. */
export function aptInstall(packages) {
  console.error(`Installing by apt-get: ${packages.join(' ')}`);
  const policyIsOurs = !existsSync(POLICY);
  // Ctrl-C ends apt-get, but this process must live on to remove the policy file.
  const ignore = () => {};
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, ignore);
  if (policyIsOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return apt('update') && apt('install', '-y', '--no-install-recommends', ...packages);
  } finally {
    if (policyIsOurs) rmSync(POLICY, { force: true });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, ignore);
  }
}

function apt(...args) {
  const { status, stdout, stderr, error } = spawnSync('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status === 0) return true;
  console.error(`apt-get ${args.join(' ')} failed:\n${error?.message ?? `${stdout}${stderr}`.trim()}`);
  return false;
}
