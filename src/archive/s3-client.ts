import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

export type S3Settings = {
  /** `s3://bucket` or `s3://bucket/prefix`. */
  url: string;
  /** Of a server other than AWS, `http://host:port`. Without it the SDK asks `AWS_ENDPOINT_URL_S3`, then AWS. */
  endpoint?: string | undefined;
  /** Bucket in the path, not in the host name. On by default where an endpoint is given. */
  forcePathStyle?: boolean | undefined;
  region?: string | undefined;
  /** Connections kept open; twice the number of archive jobs at once, since each puts two or three objects. */
  maxSockets?: number | undefined;
  /** How long one operation may take, its retries included. */
  timeoutMs?: number | undefined;
  /** Without them, the SDK's default chain: environment, profile, container or instance role. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
};

type Sdk = typeof import('@aws-sdk/client-s3');
export type S3Connection = {
  sdk: Sdk;
  client: S3Client;
  /** Makes a bucket where the server does not know our region's name; see `createBucket`. */
  withoutRegion: () => S3Client;
  close: () => void;
};

/** Loads the SDK only now: it costs 120 ms, which `--help` and folder archives need not pay. */
export async function connectS3(settings: S3Settings): Promise<S3Connection> {
  // The SDK's own switch. Its warning about Node 20 speaks to us who choose the version, not to who runs the program.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const sdk = await import('@aws-sdk/client-s3');

  const maxSockets = settings.maxSockets ?? 32;
  const httpAgent = new HttpAgent({ keepAlive: true, maxSockets });
  const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets });
  const clients: S3Client[] = [];
  const open = (region: string) => {
    const client = new sdk.S3Client(clientConfig(settings, region, { httpAgent, httpsAgent }));
    clients.push(client);
    return client;
  };

  return {
    sdk,
    client: open(settings.region ?? (await configuredRegion(sdk))),
    withoutRegion: () => open(DEFAULT_REGION),
    close: () => {
      for (const client of clients) client.destroy();
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

const DEFAULT_REGION = 'us-east-1';

function clientConfig(
  settings: S3Settings,
  region: string,
  agents: { httpAgent: HttpAgent; httpsAgent: HttpsAgent },
): S3ClientConfig {
  return {
    region,
    // With the region left out, AWS itself says where the bucket is.
    followRegionRedirects: true,
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
    ...((settings.forcePathStyle ?? settings.endpoint !== undefined) && { forcePathStyle: true }),
    ...(settings.credentials && { credentials: settings.credentials }),
    retryMode: 'standard',
    maxAttempts: 4,
    // The default checksum is a trailer, which Ceph answers with 411 and others store as part of the object.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Our bodies are small, and the handshake costs a round trip each.
    expectContinueHeader: false,
    // Agents of our own, as objects: for ones it made itself the SDK opens a connection for each larger body.
    requestHandler: { ...agents, connectionTimeout: 5_000, socketTimeout: 30_000, logger: SILENT },
  };
}

// The handler would write its notes about busy sockets to the console, into the middle of a progress display.
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** The region of the environment or the profile. Servers of one's own do not care, AWS redirects. */
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
