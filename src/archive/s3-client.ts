import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { homeFolder } from '../files/home.ts';
import type { ProxyFor } from '../network/proxy.ts';
import { type Learned, signByChecksum } from './s3-checksums.ts';
import { noteHost } from './s3-host.ts';
import { type ObjectOptions, type ObjectParameters, objectParameters } from './s3-objects.ts';
import { patientRetries } from './s3-patience.ts';

export type S3Settings = {
  /** `s3://bucket` or `s3://bucket/prefix`. */
  url: string;
  /** `http://host:port` of a server other than AWS. Without it the SDK uses `AWS_ENDPOINT_URL_S3`, else AWS. */
  endpoint?: string | undefined;
  /** Puts the bucket into the path, not into the host name. By default on when an endpoint is given. */
  forcePathStyle?: boolean | undefined;
  region?: string | undefined;
  /**
   * Most connections at once, 32 by default. Should be twice the number of concurrent archive jobs, since each puts two
   * or three objects.
   */
  maxSockets?: number | undefined;
  /** The timeout of one operation, with its retries. 60 s by default. */
  timeoutMs?: number | undefined;
  /** Without them, the SDK's default chain: environment, profile, container or instance role. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
  objects?: ObjectOptions | undefined;
  /** Without it, every request goes straight. */
  proxyFor?: ProxyFor | undefined;
};

type Sdk = typeof import('@aws-sdk/client-s3');
/** The place of one object. */
export type S3Address = { Bucket: string; Key: string };

export type S3Connection = {
  sdk: Sdk;
  client: S3Client;
  region: string;
  learned: Learned;
  parametersOf: (key: string) => ObjectParameters;
  /** The same for another region: the bucket is there. `close` closes both. */
  inRegion: (region: string) => S3Connection;
  /** A client with the default region, for servers that do not know ours; see `createBucket`. */
  withoutRegion: () => S3Client;
  close: () => void;
};

/** Loads the SDK only here. It takes 120 ms, which `--help` and folder archives save. */
export async function connectS3(settings: S3Settings): Promise<S3Connection> {
  // Turns off the SDK's warning about Node 20. It is for developers, who choose the version, not for users.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  // The SDK looks for ~/.aws, and for a user without a home it throws where nobody can catch it. This folder is nobody's.
  if (homeFolder() === undefined) process.env.HOME = '/nonexistent';
  const sdk = await import('@aws-sdk/client-s3');

  const { s3Transport } = await import('./s3-transport.ts');
  const transport = s3Transport({
    maxSockets: settings.maxSockets ?? 32,
    proxyFor: settings.proxyFor ?? (() => undefined),
  });
  const clients: S3Client[] = [];
  const open = (region: string) => {
    const client = new sdk.S3Client(clientConfig(settings, region, transport));
    noteHost(client);
    signByChecksum(client);
    clients.push(client);
    return client;
  };
  const shared = {
    sdk,
    learned: { checksum: undefined },
    parametersOf: objectParameters(settings.objects),
    withoutRegion: () => open(DEFAULT_REGION),
    inRegion: (region: string) => connectionIn(region),
    close: () => {
      for (const client of clients) client.destroy();
      transport.destroy();
    },
  };
  const connectionIn = (region: string): S3Connection => ({ ...shared, region, client: open(region) });
  return connectionIn(settings.region ?? (await configuredRegion(sdk)));
}

const DEFAULT_REGION = 'us-east-1';

function clientConfig(
  settings: S3Settings,
  region: string,
  requestHandler: NonNullable<S3ClientConfig['requestHandler']>,
): S3ClientConfig {
  return {
    region,
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
    ...((settings.forcePathStyle ?? settings.endpoint !== undefined) && { forcePathStyle: true }),
    ...(settings.credentials && { credentials: settings.credentials }),
    retryStrategy: patientRetries,
    // The SDK's default checksum is a trailer. Ceph answers it with 411, and other servers store it as part of the
    // object.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Our bodies are small, and `Expect: 100-continue` costs a round trip for each.
    expectContinueHeader: false,
    requestHandler,
  };
}

/** The region from the environment or the profile, else us-east-1. Self-hosted servers ignore it, and AWS names the right one. */
async function configuredRegion(sdk: Sdk): Promise<string> {
  const client = new sdk.S3Client({});
  try {
    return await client.config.region();
  } catch {
    return DEFAULT_REGION;
  } finally {
    client.destroy();
  }
}
