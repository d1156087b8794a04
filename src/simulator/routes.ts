import { type Answer, envelope, json, page } from './answer.ts';
import { parseFaults } from './faults.ts';
import type { Counts, Ledger, LedgerSummary, SubmitSeen } from './ledger.ts';
import { type Call, isControl, type Route } from './server.ts';

export type RoutePorts = {
  apiKey: string;
  counts: Counts;
  write: (seen: SubmitSeen) => void;
  submit: (body: string, at: number) => Answer;
  recordInfo: (taskId: string | null, at: number) => Answer;
  link: (body: string) => Answer;
  image: (url: URL) => Promise<Answer | undefined>;
  balance: () => number;
  ledger: () => Ledger;
  summary: () => LedgerSummary;
  setFaults: (raw: ReturnType<typeof parseFaults>) => void;
};

const SUBMIT = 'POST /api/v1/flux/kontext/generate';

export function createRoutes(ports: RoutePorts): Route {
  return (call) => {
    if (isControl(call.url.pathname)) return control(call);
    const at = Date.now();
    const asked = `${call.method} ${call.url.pathname}`;
    // The gateway in front of the API takes a client without a User-Agent for a bot.
    if (!call.headers['user-agent']) {
      if (asked === SUBMIT) ports.write({ at, decision: 'no-user-agent', code: 403 });
      return page(403, 'Access denied | error code: 1010');
    }
    if (call.method === 'GET' && !call.url.pathname.startsWith('/api/')) return ports.image(call.url);
    if (call.headers.authorization !== `Bearer ${ports.apiKey}`) {
      if (asked === SUBMIT) ports.write({ at, decision: 'unauthorized', code: 401 });
      return envelope(401, 'unauthorized');
    }
    switch (asked) {
      case SUBMIT:
        return ports.submit(call.body, at);
      case 'GET /api/v1/flux/kontext/record-info':
        return ports.recordInfo(call.url.searchParams.get('taskId'), at);
      case 'POST /api/v1/common/download-url':
        return ports.link(call.body);
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
