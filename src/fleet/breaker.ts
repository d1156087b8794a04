import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript } from '../redis/script.ts';
import type { FleetGate } from '../stages/ports.ts';
import { ALLOW_PROBE, CLOSE, NOTE_UNKNOWN } from './breaker-scripts.ts';
import type { Gate } from './probe-breaker.ts';

/** What stops submitting for the whole fleet at once. Every submit asks for it in `confirm`. */
export function redisGate(redis: RedisClient, keys: Keys) {
  const close = defineScript(redis, 'gate_close', CLOSE);
  const allowProbe = defineScript(redis, 'gate_allow_probe', ALLOW_PROBE);
  const noteUnknown = defineScript(redis, 'gate_note_unknown', NOTE_UNKNOWN);

  const fleetGate: FleetGate = {
    async closeGate({ refusal, message, probeAfterMs, byProbe }) {
      await close([keys.gate], [refusal, message, probeAfterMs ?? '', byProbe ? 1 : 0]);
    },
    async openGate() {
      await redis.del(keys.gate, keys.unknowns, keys.sends);
    },
    async allowProbe() {
      await allowProbe([keys.gate], []);
    },
    async noteUnknown() {
      const answer = await noteUnknown([keys.unknowns, keys.sends], [randomUUID()]);
      const [unknown, submits] = z.tuple([z.number(), z.number()]).parse(answer);
      return { unknown, submits };
    },
  };

  return {
    ...fleetGate,
    async gate(): Promise<Gate | undefined> {
      const { refusal, message, since, probeAt } = await redis.hgetall(keys.gate);
      if (refusal === undefined) return undefined;
      const probed = probeAt === undefined ? {} : { probeAt: Number(probeAt) };
      return { refusal, message: message ?? '', since: Number(since), ...probed };
    },
    /** True for one caller in so many milliseconds. */
    async isMyProbe(everyMs: number): Promise<boolean> {
      return (await redis.set(keys.gateProbe, '1', 'PX', everyMs, 'NX')) === 'OK';
    },
  };
}
