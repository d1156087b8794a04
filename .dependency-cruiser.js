// The directions of ARCHITECTURE.md as rules: `npm run lint` fails on an import against them.

/** @param {string} name @param {string} why @param {object} from @param {object} to */
const forbid = (name, why, from, to) => ({ name, comment: why, severity: 'error', from, to });
/** A package that only some folders may know. */
const only = (name, allowed, packages) =>
  forbid(
    name,
    `Only ${allowed.join(', ')} may import ${packages}.`,
    { path: '^(src|workers)/', pathNot: `^(${allowed.join('|')})` },
    { path: `node_modules/(${packages})/` },
  );

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    forbid('no-circle', 'Two files that need each other are one file, or three.', {}, { circular: true }),
    forbid(
      'items-are-pure',
      'What an item is and may become: values and decisions, no I/O.',
      { path: '^src/items/' },
      {
        path: '.',
        pathNot: [
          '^src/(items|text)/',
          '^src/errors\\.ts$',
          '^src/money/prices\\.ts$',
          'node_modules/zod/',
          '^crypto$',
        ],
      },
    ),
    forbid(
      'text-is-pure',
      'Text has no domain and no I/O.',
      { path: '^src/text/' },
      { path: '.', pathNot: ['^src/text/', '^src/errors\\.ts$', '^util$'] },
    ),
    forbid(
      'diagnosis-is-pure',
      'From one look to what is wrong: values and decisions, no I/O. It may know the types of what it looks at.',
      { path: '^src/diagnosis/' },
      {
        path: '.',
        pathNot: ['^src/(diagnosis|items|text)/', '^src/batch/counts\\.ts$', '^src/errors\\.ts$'],
        dependencyTypesNot: ['type-only'],
      },
    ),
    only('bullmq-in-queue', ['src/queue/', 'workers/'], 'bullmq'),
    only('ioredis-in-redis', ['src/redis/', 'src/fleet/'], 'ioredis'),
    only('aws-in-archive', ['src/archive/'], '@aws-sdk/[^/]+|@smithy/[^/]+|https?-proxy-agent'),
    only('sharp-in-archive', ['src/archive/', 'src/simulator/'], 'sharp'),
    only('fastify-in-server', ['src/server/'], 'fastify|@fastify/[^/]+|@bull-board/fastify'),
    only('bull-board-in-queue', ['src/server/', 'src/queue/'], '@bull-board/[^/]+'),
    only('undici-in-provider', ['src/provider/', 'src/network/', 'src/simulator/'], 'undici'),
    only('commander-in-commands', ['src/commands/', 'src/cli\\.ts'], 'commander'),
    forbid('src-knows-no-workers', 'Workers are handed to src from outside.', { path: '^src/' }, { path: '^workers/' }),
    forbid(
      'commands-are-the-top',
      'A command is started by a person: nothing else imports one.',
      { path: '^(src|workers)/', pathNot: '^src/(commands/|cli\\.ts$)' },
      { path: '^src/(commands/|cli\\.ts$)' },
    ),
    forbid(
      'the-simulator-stands-alone',
      'It stands in for somebody else: it shares no code with the client.',
      { path: '^src/simulator/' },
      { path: '^src/', pathNot: '^src/(simulator|text)/|^src/errors\\.ts$' },
    ),
    forbid(
      'stages-know-ports-only',
      'A stage is a function of data and ports: it opens nothing.',
      { path: '^src/stages/' },
      { path: '^src/(redis|queue|wiring|server|status|progress|results|library)/' },
    ),
    forbid(
      'the-queue-is-bullmq-only',
      'queue/ adds, promotes and counts jobs; what they mean is decided elsewhere.',
      { path: '^src/queue/' },
      { path: '^src/', pathNot: '^src/(queue|redis|items|text)/|^src/errors\\.ts$|^src/stages/(ports|callback)\\.ts$' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.bench)/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
