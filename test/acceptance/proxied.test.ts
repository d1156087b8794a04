import { randomUUID } from 'node:crypto';
import { expect, inject, test, vi } from 'vitest';
import { hasForwardProxy, startForwardProxy } from '../services/forward-proxy.ts';
import { privateCa, tlsBefore } from '../services/private-ca.ts';
import { expectOneTaskEach } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

const ITEMS = 6;
/** Loopback, and none of the names that no proxy is asked for. */
const ADDRESS = '127.0.0.2';

test.skipIf(!hasForwardProxy)(
  'a batch goes through a proxy to an API and an S3 server of a private CA, and without the CA says what is missing',
  async (context) => {
    const proxy = await startForwardProxy({ user: 'someone:secret' });
    const ca = await privateCa(ADDRESS);
    const { endpoint, accessKeyId, secretAccessKey } = inject('s3');
    const place = await openPlace(context, { simulator: { host: ADDRESS } });
    const env = {
      HTTPS_PROXY: proxy.url,
      http_proxy: proxy.url,
      FLUX_API_URL: await tlsBefore(place.simulator.url, ADDRESS, ca),
      FETCH_ALLOW: ADDRESS,
      ARCHIVE_URL: `s3://acceptance-${randomUUID()}`,
      S3_ENDPOINT: await tlsBefore(endpoint, ADDRESS, ca),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
    const manifest = await place.manifest('proxied', promptsFor(ITEMS));
    const refused = await place.run(['run', manifest], env);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('NODE_EXTRA_CA_CERTS');
    expect(refused.stderr).not.toContain('secret');

    const { code, stderr } = await place.run(['run', manifest], { ...env, NODE_EXTRA_CA_CERTS: ca.file });
    expect(code, stderr).toBe(0);
    expectOneTaskEach(place, ITEMS);
    const { origin, stored, link } = place.simulator.ledger().downloads;
    const images = await vi.waitFor(() => {
      const asked = proxy.requests();
      expect(asked).toContain(`CONNECT ${new URL(env.FLUX_API_URL).host}`);
      expect(asked).toContain(`CONNECT ${new URL(env.S3_ENDPOINT).host}`);
      const downloads = asked.filter((line) => line.startsWith(`GET ${place.simulator.url}/`));
      expect(downloads.length).toBe(origin + stored + link);
      return downloads;
    });
    expect(images.length).toBeGreaterThanOrEqual(ITEMS);
  },
);
