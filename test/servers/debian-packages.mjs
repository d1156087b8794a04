// Packages of any Debian release, unpacked below .cache/servers with the libraries that they want; nothing is installed.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const CACHE = resolve('.cache/servers');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Resolves with the folder of that name. `programs`: by the name that each gets in it, its path in the packages. Throws where they
 * cannot be had: no Debian, no network.
 */
export async function unpackedPackages({ name, release, packages, programs }) {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  const making = `${folder}.tmp`;
  await rm(making, { recursive: true, force: true });
  const root = join(making, 'root');
  await mkdir(root, { recursive: true });
  for (const file of await download(release, packages)) run('dpkg-deb', ['--extract', file, root]);
  for (const [program, path] of Object.entries(programs)) {
    await writeFile(join(making, program), startScript(join(folder, 'root'), path));
    await chmod(join(making, program), 0o755);
  }
  await rename(making, folder);
  return folder;
}

/** The packages and all that they depend on, as a machine would get them that has nothing yet. */
async function download(release, packages) {
  const folder = join(CACHE, `apt-${release}`);
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
  const options = Object.entries(settings).flatMap(([option, value]) => ['-o', `${option}=${value}`]);
  const archives = join(folder, 'archives');
  for (const old of await readdir(archives)) if (old.endsWith('.deb')) await rm(join(archives, old));
  run('apt-get', [...options, 'update']);
  run('apt-get', [...options, '--yes', '--download-only', 'install', ...packages]);
  return (await readdir(archives)).filter((file) => file.endsWith('.deb')).map((file) => join(archives, file));
}

/** By the loader and the libraries of its own release: this machine's may be older than it needs. */
function startScript(root, path) {
  return `#!/bin/sh
root='${root}'
for loader in "$root"/lib/*-linux-gnu/ld-linux-*.so.* "$root"/usr/lib/*-linux-gnu/ld-linux-*.so.*; do
  [ -e "$loader" ] && break
done
libraries=$(echo "$root"/lib/*-linux-gnu "$root"/usr/lib/*-linux-gnu | tr ' ' ':')
exec "$loader" --library-path "$libraries" "$root/${path}" "$@"
`;
}

function run(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1e8, stdio: ['ignore', 'pipe', 'pipe'] });
}
