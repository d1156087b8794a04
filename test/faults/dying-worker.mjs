// A worker that kills itself (-9) at a boundary of its stages: what the command `worker` does, with ports that a fault test has
// wrapped. Runs the built program, for Node 20 reads no TypeScript.
//
//   DIE_AT=<boundary> node dying-worker.mjs       boundaries as in BOUNDARIES below, `before …` or `after …`
import { loadConfig } from '../../dist/src/config.js';
import { connect } from '../../dist/src/wiring/connections.js';
import { WORKER_STAGES } from '../../dist/src/wiring/fleet.js';
import { openPorts } from '../../dist/src/wiring/stage-ports.js';
import { startFleet } from '../../dist/workers/fleet.js';

/** The first call is let through, so that other items are on their way when we die. */
const CALLS_BEFORE_DEATH = 1;
const { DIE_AT = '' } = process.env;
let calls = 0;

function die() {
  process.kill(process.pid, 'SIGKILL');
}

/** The function, deadly before or after it when the arguments are those of the boundary. */
function deadly(boundary, run, isMeant = () => true) {
  return async (...args) => {
    const isTime = DIE_AT.endsWith(` ${boundary}`) && isMeant(...args) && calls++ >= CALLS_BEFORE_DEATH;
    if (isTime && DIE_AT.startsWith('before')) return die();
    const result = await run(...args);
    if (isTime && DIE_AT.startsWith('after')) return die();
    return result;
  };
}

const RECORDS = { claimed: 'the claimed record', submitted: 'the submitted record', archived: 'the final record' };

/** What an update writes is known only when it asks for it. */
function deadlyUpdate(update) {
  const isTime = (when, record) =>
    record !== undefined && DIE_AT === `${when} ${RECORDS[record.state]}` && calls++ >= CALLS_BEFORE_DEATH;
  return async (batch, item, change, known) => {
    const changing = (now) => {
      const record = change(now);
      if (isTime('before', record)) die();
      return record;
    };
    const result = await update(batch, item, changing, known);
    if (result.written && isTime('after', result.record)) die();
    return result;
  };
}

function mortal(ports) {
  const { state, records, provider, forward, archive } = ports;
  const isOf = (wanted) => (record) => record.state === wanted;
  const movesTo = (wanted) => (_item, to) => to === wanted;
  return {
    ...ports,
    state: {
      ...state,
      claim: deadly('the claim', state.claim),
      move: deadly(
        'the submitted state',
        deadly('the archived state', state.move, movesTo('archived')),
        movesTo('submitted'),
      ),
    },
    records: {
      ...records,
      create: deadly('the claimed record', records.create, isOf('claimed')),
      update: deadlyUpdate(records.update),
    },
    provider: {
      ...provider,
      submit: deadly('the POST', (request, options) =>
        provider.submit(request, {
          ...options,
          onSent() {
            options.onSent();
            // The bytes leave in this turn; the answer takes longer than this.
            if (DIE_AT === 'during the POST' && calls++ >= CALLS_BEFORE_DEATH) setTimeout(die, 5);
          },
        }),
      ),
    },
    forward: {
      ...forward,
      poll: deadly('the poll job', forward.poll),
      archive: deadly('the archive job', forward.archive),
    },
    download: deadly('the download', ports.download),
    archive: { ...archive, write: deadly('the put', archive.write) },
  };
}

/** What feeds has no ports of its own. */
function mortalFeeder({ state, queues, ...connections }) {
  const { feed, added } = state.feeds;
  const feeds = {
    ...state.feeds,
    feed: deadly('the feeding', feed),
    added: deadly('the end of feeding', added),
  };
  const submitAll = deadly('the fed jobs', queues.submitAll);
  return { ...connections, state: { ...state, feeds }, queues: { ...queues, submitAll } };
}

const connections = mortalFeeder(await connect(loadConfig(), { patient: true, prove: true }));
const ports = mortal(await openPorts(connections));
startFleet(connections, ports, {
  stages: WORKER_STAGES,
  // Few at once: what dies with us stays locked for ten seconds, and the next to die needs something to do.
  concurrency: { submit: 3, poll: 3, archive: 2 },
  onTrouble: () => {},
});
