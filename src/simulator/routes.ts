import { type Answer, envelope, json, page } from './answer.ts';
import { parseFaults } from './faults.ts';
import type { Counts, Ledger, LedgerSummary, SubmitSeen } from './ledger.ts';
import { type Call, isControl, type Route } from './server.ts';
import type { Task } from './tasks.ts';
import type { createUploads } from './uploads.ts';

export type RoutePorts = {
  apiKey: string;
  counts: Counts;
  write: (seen: SubmitSeen) => void;
  provider: 'kie' | 'bfl' | 'keyed';
  submits: Record<Task['api'], (body: string, at: number, model?: string) => Answer | Promise<Answer>>;
  uploads: ReturnType<typeof createUploads>;
  records: Record<Task['api'], (taskId: string | null, at: number) => Answer>;
  link: (body: string) => Answer;
  image: (url: URL) => Promise<Answer | undefined>;
  balance: () => number;
  ledger: () => Ledger;
  summary: () => LedgerSummary;
  setFaults: (raw: ReturnType<typeof parseFaults>) => void;
};

const SUBMIT = 'POST /api/v1/flux/kontext/generate';
const CREATE_TASK = 'POST /api/v1/jobs/createTask';

export function createRoutes(ports: RoutePorts): Route {
  return (call) => {
    if (isControl(call.url.pathname)) return control(call);
    const at = Date.now();
    const asked = `${call.method} ${call.url.pathname}`;
    if (ports.provider === 'bfl') return askBfl(ports, call, at);
    if (ports.provider === 'keyed') return askKeyed(ports, call, at);
    const isSubmit = asked === SUBMIT || asked === CREATE_TASK;
    // The gateway in front of the API takes a client without a User-Agent for a bot.
    if (!call.headers['user-agent']) {
      if (isSubmit) ports.write({ at, decision: 'no-user-agent', code: 403 });
      return page(403, 'Access denied | error code: 1010');
    }
    if (call.method === 'GET' && !call.url.pathname.startsWith('/api/'))
      return ports.uploads.file(call.url.pathname) ?? ports.image(call.url);
    if (call.headers.authorization !== `Bearer ${ports.apiKey}`) {
      if (isSubmit) ports.write({ at, decision: 'unauthorized', code: 401 });
      return envelope(401, 'unauthorized');
    }
    switch (asked) {
      case SUBMIT:
        return ports.submits.kontext(call.body, at);
      case CREATE_TASK:
        return ports.submits.jobs(call.body, at);
      case 'GET /api/v1/jobs/recordInfo':
        return ports.records.jobs(call.url.searchParams.get('taskId'), at);
      case 'GET /api/v1/flux/kontext/record-info':
        return ports.records.kontext(call.url.searchParams.get('taskId'), at);
      case 'POST /api/v1/common/download-url':
        return ports.link(call.body);
      case 'POST /api/file-stream-upload':
        return ports.uploads.upload(call, at);
      case 'GET /api/v1/chat/credit':
        return envelope(200, 'success', ports.balance());
      default:
        return undefined;
    }
  };

  function control({ method, url, body }: Call): Answer | undefined {
    switch (`${method} ${url.pathname}`) {
      case 'GET /_health':
        return json({ ok: true });
      case 'GET /_ledger':
        return json(url.searchParams.has('summary') ? ports.summary() : ports.ledger());
      case 'POST /_faults':
        return changeFaults(body);
      default:
        return undefined;
    }
  }

  function changeFaults(body: string): Answer {
    try {
      const faults = parseFaults(JSON.parse(body));
      ports.setFaults(faults);
      return json({ faults });
    } catch (thrown) {
      return json({ error: thrown instanceof Error ? thrown.message : String(thrown) }, 400);
    }
  }
}

/** No envelope: what an answer means is its HTTP status. */
function askBfl(
  ports: RoutePorts,
  { method, url, headers, body }: Call,
  at: number,
): Answer | undefined | Promise<Answer | undefined> {
  if (method === 'GET' && !url.pathname.startsWith('/v1/')) return ports.image(url);
  const isSubmit = method === 'POST' && url.pathname.startsWith('/v1/');
  if (headers['x-key'] !== ports.apiKey) {
    if (isSubmit) ports.write({ at, decision: 'unauthorized', code: 403 });
    return json({ detail: 'Not authenticated' }, 403);
  }
  if (isSubmit) return ports.submits.bfl(body, at, url.pathname.slice('/v1/'.length));
  if (url.pathname === '/v1/get_result') return ports.records.bfl(url.searchParams.get('id'), at);
  if (url.pathname === '/v1/credits') return json({ credits: ports.balance() });
  return json({ detail: 'Not Found' }, 404);
}

/** The API that only tests know. */
function askKeyed(
  ports: RoutePorts,
  { method, url, headers, body }: Call,
  at: number,
): Answer | undefined | Promise<Answer | undefined> {
  if (method === 'GET' && !url.pathname.startsWith('/v2/')) return ports.image(url);
  const asked = `${method} ${url.pathname}`;
  if (headers['x-token'] !== ports.apiKey) {
    if (asked === 'POST /v2/tasks') ports.write({ at, decision: 'unauthorized', code: 401 });
    return json({ error: { type: 'auth', message: 'no such token' } }, 401);
  }
  if (asked === 'POST /v2/tasks') return ports.submits.keyed(body, at);
  if (asked === 'GET /v2/balance') return json({ balance: ports.balance() });
  const [, id] = /^\/v2\/tasks\/([^/]+)$/.exec(url.pathname) ?? [];
  return id === undefined ? undefined : ports.records.keyed(id, at);
}
