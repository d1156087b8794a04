// Redis and Valkey of other Debian releases, unpacked below .cache/servers with the libraries that they want; nothing is installed.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** One of each that people have; the release of this machine is what `npm test` runs on. */
export const REDIS_SERVERS = [
  { name: 'redis-bullseye', release: 'bullseye', package: 'redis-server', program: 'redis-server' },
  { name: 'redis-trixie', release: 'trixie', package: 'redis-server', program: 'redis-server' },
  { name: 'valkey-trixie', release: 'trixie', package: 'valkey-server', program: 'valkey-server' },
];

const CACHE = resolve('.cache/servers');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1e8, stdio: ['ignore', 'pipe', 'pipe'], ...options });

/** The folder with its `redis-server`, for the front of a PATH. Throws where it cannot be had: no Debian, no network. */
export async function redisServer({ name, release, package: wanted, program }) {
  const folder = join(CACHE, name);
  if (existsSync(join(folder, 'redis-server'))) return folder;
  const making = `${folder}.tmp`;
  await rm(making, { recursive: true, force: true });
  const root = join(making, 'root');
  await mkdir(root, { recursive: true });
  for (const file of await download(release, wanted)) run('dpkg-deb', ['--extract', file, root]);
  await writeFile(join(making, 'redis-server'), startScript(join(folder, 'root'), program));
  await chmod(join(making, 'redis-server'), 0o755);
  await rename(making, folder);
  return folder;
}

/** The package and all that it depends on, as a machine would get it that has nothing yet. */
async function download(release, wanted) {
  const folder = join(CACHE, release);
  for (const part of ['state/lists/partial', 'archives/partial']) await mkdir(join(folder, part), { recursive: true });
  // The mirror is the one of this machine.
  const [mirror] = run('apt-get', ['indextargets', '--format', '$(SITE)', 'Component: main']).split('\n');
  await writeFile(join(folder, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror} ${release} main\n`);
  await writeFile(join(folder, 'status'), '');
  const settings = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': folder,
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'APT::Sandbox::User': '',
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const archives = join(folder, 'archives');
  for (const old of await readdir(archives)) if (old.endsWith('.deb')) await rm(join(archives, old));
  run('apt-get', [...options, 'update']);
  run('apt-get', [...options, '--yes', '--download-only', 'install', wanted]);
  return (await readdir(archives)).filter((name) => name.endsWith('.deb')).map((name) => join(archives, name));
}

/** By the loader and the libraries of its own release: this machine's may be older than it needs. */
function startScript(root, program) {
  return `#!/bin/sh
root='${root}'
for loader in "$root"/lib/*-linux-gnu/ld-linux-*.so.* "$root"/usr/lib/*-linux-gnu/ld-linux-*.so.*; do
  [ -e "$loader" ] && break
done
libraries=$(echo "$root"/lib/*-linux-gnu "$root"/usr/lib/*-linux-gnu | tr ' ' ':')
exec "$loader" --library-path "$libraries" "$root/usr/bin/${program}" "$@"
`;
}
