import { closeSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { FluxError } from '../errors.ts';

/** No holder keeps a lock longer than this. An older lock is abandoned, even if its pid is alive: pids are reused. */
const MAX_AGE_MS = 5 * 60_000;
/** A waiter gives up so long after an abandoned lock would have been removed. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 25;

/**
 * Distinguishes our lock from one of an earlier process with the same pid. In a container, the first process always has pid
 * 1. The machine is named because several can share a folder, and a pid means nothing on another machine.
 */
const PROCESS_TAG = `${process.pid} ${Date.now()}-${Math.random()} on ${hostname()}`;

/**
 * Runs `task` while it holds the lock file, against other processes and other calls in this one. A lock of a dead process of
 * this machine is removed, and any lock that is older than `maxAgeMs`. Throws a FluxError (`locked`).
 */
export async function withFileLock<T>(path: string, task: () => Promise<T>, maxAgeMs = MAX_AGE_MS): Promise<T> {
  const deadline = Date.now() + maxAgeMs + PATIENCE_MS;
  while (!take(path)) {
    if (removeAbandoned(path, maxAgeMs)) continue;
    if (Date.now() > deadline) {
      throw new FluxError('locked', `Another process holds ${path}`, {
        facts: { holder: read(path) },
        hint: 'The file has the number of that process. If it is not flux-batch, remove the file.',
      });
    }
    await sleep(RETRY_MS);
  }
  try {
    return await task();
  } finally {
    if (read(path) === PROCESS_TAG) remove(path);
  }
}

/** Creates the file with O_EXCL: of several concurrent callers, exactly one succeeds. */
function take(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      writeSync(file, PROCESS_TAG);
    } catch (error) {
      // The disk is full. An empty lock would look held until its age tells otherwise.
      remove(path);
      throw error;
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * If two processes find the same abandoned lock, they must not both remove it: the slower would remove the lock that the
 * faster has just taken. So a process first takes a second lock file, checks again, and removes synchronously, so that no
 * other code of this process runs in between.
 */
function removeAbandoned(path: string, maxAgeMs: number): boolean {
  if (!isAbandoned(path, maxAgeMs)) return false;
  const removalLock = `${path}.broom`;
  if (!take(removalLock)) {
    if (ageMs(removalLock) > maxAgeMs) remove(removalLock);
    return false;
  }
  try {
    if (isAbandoned(path, maxAgeMs)) remove(path);
    return true;
  } finally {
    remove(removalLock);
  }
}

function isAbandoned(path: string, maxAgeMs: number): boolean {
  const holder = read(path);
  if (holder === undefined || holder === PROCESS_TAG) return false;
  if (ageMs(path) > maxAgeMs) return true;
  // A lock is empty between its creation and its writing. If its process died in between, only the age tells that it is
  // abandoned.
  if (holder === '') return false;
  const [, machine = hostname()] = holder.split(' on ');
  if (machine !== hostname()) return false;
  const pid = Number.parseInt(holder, 10);
  return pid === process.pid || !isAlive(pid);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process exists, but belongs to another user.
    return codeOf(error) === 'EPERM';
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function ageMs(path: string): number {
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return modified === undefined ? 0 : Date.now() - modified;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
