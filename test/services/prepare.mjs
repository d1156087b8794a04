// Before the tests: builds what they run as other processes, and makes sure that the services they need can start.
import { spawnSync } from 'node:child_process';
import { aptInstall, canInstall, isOnPath } from '../../demo/apt-install.mjs';

/** What the tests run beside Node; `givenBy` names the variable that points at a server instead. */
const SERVICES = [
  { programs: ['redis-server'], packages: ['redis-server'] },
  {
    programs: ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'ceph-authtool', 'monmaptool'],
    packages: ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common'],
    givenBy: 'TEST_S3_ENDPOINT',
  },
  { programs: ['chromium'], packages: ['chromium'], givenBy: 'TEST_CHROMIUM' },
  { programs: ['prometheus', 'promtool'], packages: ['prometheus'] },
  // Without it, the tests of the way through a proxy are skipped, and say so.
  { programs: ['tinyproxy'], packages: ['tinyproxy-bin'], isOptional: true },
  { programs: ['nginx', 'haproxy'], packages: ['nginx-light', 'haproxy'] },
];

const lacking = () =>
  SERVICES.filter(
    ({ programs, givenBy }) => !(givenBy && process.env[givenBy]) && !programs.every((program) => isOnPath(program)),
  );

const stopping = () => lacking().some(({ isOptional }) => !isOptional);
const missing = lacking().flatMap(({ packages }) => packages);
if (missing.length > 0 && !(canInstall() && aptInstall(missing)) && stopping()) {
  console.error(`The tests run on a real Redis, S3 server, browser, Prometheus, nginx and HAProxy. Install what is missing (Debian, Ubuntu):
  sudo apt-get install -y --no-install-recommends ${missing.join(' ')}
Instead of Ceph, TEST_S3_ENDPOINT can name a running S3 server (with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY),
and TEST_CHROMIUM a Chromium or Chrome that is somewhere else.`);
  process.exit(1);
}

// The same files in a third of the processor time; `npm run types` is what checks.
const env = { ...process.env, TSC_FLAGS: '--noCheck' };
const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', env });
if (status !== 0) process.exit(status ?? 1);
await import('./bundle.mjs');
