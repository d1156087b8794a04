import { closeSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { FluxError } from '../errors.ts';

/** No holder keeps a lock longer than this, so that an older one belongs to a process whose pid was given out again. */
const MAX_AGE_MS = 5 * 60_000;
/** So much longer than that a waiter waits. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 25;

/**
 * Tells our own lock from one of an earlier process with our pid: in a container every first process has pid 1. The machine is
 * named since a folder may be shared by several, and a pid says nothing of a process elsewhere.
 */
const PROCESS_TAG = `${process.pid} ${Date.now()}-${Math.random()} on ${hostname()}`;

/**
 * Runs `task` while no other process, nor another call in this one, holds the lock file. A lock whose process is dead is removed;
 * one of another machine when it is older than `maxAgeMs`.
 */
export async function withFileLock<T>(path: string, task: () => Promise<T>, maxAgeMs = MAX_AGE_MS): Promise<T> {
  const deadline = Date.now() + maxAgeMs + PATIENCE_MS;
  while (!take(path)) {
    if (removeAbandoned(path, maxAgeMs)) continue;
    if (Date.now() > deadline) {
      throw new FluxError('locked', `Another process holds ${path}`, {
        facts: { holder: read(path) },
        hint: 'It holds the number of the process. If that is not flux-batch, remove the file.',
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

/** O_EXCL: exactly one of many makes the file. */
function take(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      writeSync(file, PROCESS_TAG);
    } catch (error) {
      // A full disk: without its holder's name it would look held until it is old.
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
 * Two that find the same dead lock must not both remove it: the slower would remove the lock that the faster then took.
 * So who removes holds a second file, looks again, and lets no other code of this process run in between.
 */
function removeAbandoned(path: string, maxAgeMs: number): boolean {
  if (!isAbandoned(path, maxAgeMs)) return false;
  const broom = `${path}.broom`;
  if (!take(broom)) {
    if (ageMs(broom) > maxAgeMs) remove(broom);
    return false;
  }
  try {
    if (isAbandoned(path, maxAgeMs)) remove(path);
    return true;
  } finally {
    remove(broom);
  }
}

function isAbandoned(path: string, maxAgeMs: number): boolean {
  const holder = read(path);
  if (holder === undefined || holder === PROCESS_TAG) return false;
  if (ageMs(path) > maxAgeMs) return true;
  // Empty is a lock between its making and its writing; if its maker died right there, its age decides.
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
    // EPERM: it is there, and somebody else's.
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
