import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { isLoopback, isLoopbackName } from '../text/loopback.ts';

/** Headers that proxies and tunnels add. With one of them, the address of the connection is not the client's. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'cf-connecting-ip'];

/** So many wrong passwords from one address are answered; then it waits, whatever it brings. */
const MOST_WRONG = 10;
const WRONG_WITHIN_MS = 60_000;
/** Addresses to remember: a flood of them must not fill the memory. */
const MOST_ADDRESSES = 10_000;

export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

export type GuardSettings = {
  password: string | undefined;
  /**
   * Whether callbacks from outside come in by this port. Then a proxy or a tunnel leads here from everywhere, and a plain one adds
   * no header: who comes by it looks like this machine.
   */
  isPublic(): Promise<boolean>;
  /** Told of the first refusal in a minute for each address. */
  onGuessing(address: string): void;
};

/**
 * Guards what is not public. With a password set, it is required. Without one, only this machine may read: not through a proxy or
 * tunnel, and not by a foreign host name that resolves to loopback (DNS rebinding). Where a proxy cannot be told from this machine,
 * nobody may.
 */
export function guardFor({ password, isPublic, onGuessing }: GuardSettings): Guard {
  if (password !== undefined) return passwordGuard(password, onGuessing);
  return async (request, reply) => {
    if (!isThisMachine(request)) return refuse(reply, 'Without SERVE_PASSWORD these pages are for this machine only.');
    if (!(await isPublic())) return;
    await refuse(
      reply,
      'Callbacks from outside come in by this port, so anybody may. Set SERVE_PASSWORD, or give callbacks a port of their own (--callback-port).',
    );
  };
}

/** Whether it is certain that a person on this machine asks: no password, no other way in. */
export async function isCertainlyHere(
  request: FastifyRequest,
  { password, isPublic }: Pick<GuardSettings, 'password' | 'isPublic'>,
): Promise<boolean> {
  return password === undefined && isThisMachine(request) && !(await isPublic());
}

/** For scrapers: a bearer token, where one is set, instead of what the guard asks for. */
export function tokenOrGuarded(token: string | undefined, guard: Guard): Guard {
  return async (request, reply) => {
    const [, given] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (token !== undefined && given !== undefined && isSame(given, token)) return;
    await guard(request, reply);
  };
}

function passwordGuard(password: string, onGuessing: GuardSettings['onGuessing']): Guard {
  const wrong = new LRUCache<string, number>({ max: MOST_ADDRESSES, ttl: WRONG_WITHIN_MS, noUpdateTTL: true });
  return async (request, reply) => {
    const address = networkOf(request.socket.remoteAddress ?? '');
    const guesses = wrong.get(address) ?? 0;
    // Right or wrong: an answer would tell which it was. A browser that brings no password is only asked for one.
    if (guesses >= MOST_WRONG && request.headers.authorization !== undefined) {
      const seconds = Math.ceil(wrong.getRemainingTTL(address) / 1_000);
      await reply
        .code(429)
        .header('retry-after', seconds)
        .type('text/plain')
        .send(`Wrong too often. Wait ${seconds} s.\n`);
      return;
    }
    if (isPassword(request.headers.authorization, password)) return;
    if (request.headers.authorization !== undefined) {
      wrong.set(address, guesses + 1);
      if (guesses + 1 === MOST_WRONG) onGuessing(address);
    }
    await reply
      .code(401)
      .header('www-authenticate', 'Basic realm="flux-batch", charset="UTF-8"')
      .type('text/plain')
      .send('The password is that of SERVE_PASSWORD; any user name will do.\n');
  };
}

async function refuse(reply: FastifyReply, why: string): Promise<void> {
  await reply.code(403).type('text/plain').send(`${why}\n`);
}

function isPassword(header: string | undefined, password: string): boolean {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1] ?? '';
  const [, given = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return isSame(given, password);
}

/** `timingSafeEqual` needs inputs of equal length, which digests have. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Who has one IPv6 address has the 2⁶⁴ beside it. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:/, '');
  if (!isIPv6(plain)) return plain;
  const [head = ''] = plain.split('::');
  return [...head.split(':'), '0', '0', '0', '0'].slice(0, 4).join(':');
}

function isThisMachine(request: FastifyRequest): boolean {
  return (
    isLoopback(request.socket.remoteAddress ?? '') &&
    isLoopbackName(request.hostname) &&
    !FORWARDED.some((header) => request.headers[header] !== undefined)
  );
}
