// `npm run bench [names…] [-- --quick]`: builds the sources and the benchmarks into dist/, then runs them.
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: project, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

run('npm', ['run', '--silent', 'build']);
run(join(project, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.bench.json']);
// The services of the tests serve here too; what starts Ceph is no TypeScript.
copyFileSync(join(project, 'test/services/ceph.sh'), join(project, 'dist/test/services/ceph.sh'));
run(process.execPath, [join(project, 'dist/bench/main.js'), ...process.argv.slice(2)]);
