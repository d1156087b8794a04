// A script as people write it today: p-limit, fetch, a retry on 429, polling every so often, PutObject. Nothing is kept of what was
// done, so it starts from nothing when it is stopped, and a lost answer is paid for twice.
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';

const { API_URL = '', API_KEY = '', S3_ENDPOINT = '', BUCKET = '', ITEMS = '0', AT_ONCE = '' } = process.env;
const POLL_EVERY_MS = 2_000;

const s3 = new S3Client({ endpoint: S3_ENDPOINT, forcePathStyle: true, region: 'us-east-1' });
const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };

async function generate(index: number): Promise<string> {
  const body = JSON.stringify({
    prompt: `A lighthouse at dawn, ${index}`,
    model: 'flux-kontext-pro',
    outputFormat: 'png',
  });
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(`${API_URL}/api/v1/flux/kontext/generate`, { method: 'POST', headers, body });
    const { code, data } = (await response.json()) as { code: number; data: { taskId: string } };
    if (code === 200) return data.taskId;
    if (code !== 429) throw new Error(`code ${code}`);
    await sleep(Math.min(30_000, 1_000 * 2 ** attempt) * (0.5 + Math.random() / 2));
  }
}

type TaskRecord = { successFlag: number; errorMessage: string; response: { resultImageUrl: string } };

async function imageOf(taskId: string): Promise<string> {
  for (;;) {
    await sleep(POLL_EVERY_MS);
    const response = await fetch(`${API_URL}/api/v1/flux/kontext/record-info?taskId=${taskId}`, { headers });
    const { code, data } = (await response.json()) as { code: number; data: TaskRecord };
    if (code === 200 && data.successFlag === 1) return data.response.resultImageUrl;
    if (code !== 429 && data?.successFlag > 1) throw new Error(data.errorMessage);
  }
}

async function store(url: string, key: string): Promise<void> {
  const response = await fetch(url, { headers: { 'user-agent': 'script' } });
  const body = Buffer.from(await response.arrayBuffer());
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, ContentType: 'image/png' }));
}

const limit = pLimit(Number(AT_ONCE));
await Promise.all(
  Array.from({ length: Number(ITEMS) }, (_, index) =>
    limit(async () => store(await imageOf(await generate(index)), `${index}.png`)),
  ),
);
