// `npm run bench [names…] [-- --quick]`: builds the sources and the benchmarks into dist/, then runs them.
// `-- --against <checkout>`: builds that, too, and measures the two in turn.
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const run = (command, args, cwd = project) => {
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
const build = (checkout) => {
  run('npm', ['run', '--silent', 'build'], checkout);
  run(join(checkout, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.bench.json'], checkout);
  // The services of the tests serve here too; what starts Ceph is no TypeScript.
  copyFileSync(join(checkout, 'test/services/ceph.sh'), join(checkout, 'dist/test/services/ceph.sh'));
};

build(project);
const against = process.argv.indexOf('--against');
if (against !== -1) build(resolve(process.argv[against + 1] ?? ''));
run(process.execPath, [join(project, 'dist/bench/main.js'), ...process.argv.slice(2)]);
