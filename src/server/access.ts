import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Headers that proxies and tunnels add. With one of them, the address of the connection is not the client's. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'cf-connecting-ip'];

export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * Guards pages that are not public. With a password set, it is required. Without one, only this machine may read them: not
 * through a proxy or tunnel (which callbacks may come in by), and not by a foreign host name that resolves to loopback (DNS
 * rebinding).
 */
export function guardFor(password: string | undefined): Guard {
  return async (request, reply) => {
    if (password !== undefined) {
      if (isPassword(request.headers.authorization, password)) return;
      await reply
        .code(401)
        .header('www-authenticate', 'Basic realm="flux-batch", charset="UTF-8"')
        .type('text/plain')
        .send('The password is that of SERVE_PASSWORD; any user name will do.\n');
      return;
    }
    if (isThisMachine(request)) return;
    await reply
      .code(403)
      .type('text/plain')
      .send('Without SERVE_PASSWORD these pages are for this machine only (http://127.0.0.1).\n');
  };
}

/**
 * For scrapers: a direct connection is always let in. Through a proxy the guard applies, because a tunnel for callbacks
 * would publish the metrics.
 */
export function directOrGuarded(guard: Guard): Guard {
  return async (request, reply) => {
    if (isForwarded(request)) await guard(request, reply);
  };
}

function isPassword(header: string | undefined, password: string): boolean {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1] ?? '';
  const [, given = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return timingSafeEqual(digest(given), digest(password));
}

/** `timingSafeEqual` needs inputs of equal length, which digests have. */
const digest = (text: string) => createHash('sha256').update(text).digest();

function isThisMachine(request: FastifyRequest): boolean {
  const name = request.hostname.replace(/^\[|\]$/g, '');
  return (
    isLoopback(request.socket.remoteAddress ?? '') &&
    (name === 'localhost' || isLoopback(name)) &&
    !isForwarded(request)
  );
}

function isForwarded(request: FastifyRequest): boolean {
  return FORWARDED.some((header) => request.headers[header] !== undefined);
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return isIPv4(plain) ? plain.startsWith('127.') : isIPv6(plain) && plain === '::1';
}
