// What a release needs beyond a build. Run in the project's folder:
//
//   node scripts/release.mjs repository owner/name     fills package.json in: where the sources, the issues and the home page are
//   node scripts/release.mjs check --repository owner/name --tag v0.2.0     names everything that is not as it must be; exit code 1
//   node scripts/release.mjs readme                    gives README addresses instead of paths, as npm's page of the package needs them
//   node scripts/release.mjs notes                     prints what CHANGELOG says of this version
//
// This project is published by whoever owns it: package.json names no repository until the first of these has been run.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const read = (path) => readFileSync(path, 'utf8');
const readPackage = () => JSON.parse(read('package.json'));

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { repository: { type: 'string' }, tag: { type: 'string' } },
});
const COMMANDS = { repository, check, readme, notes };
const [command = '', argument] = positionals;
try {
  if (!Object.hasOwn(COMMANDS, command)) throw new Error(`Expected one of ${Object.keys(COMMANDS).join(', ')}`);
  COMMANDS[command](argument);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function repository(name) {
  const pkg = readPackage();
  const { version, description, keywords, license, type, ...rest } = pkg;
  const before = { name: pkg.name, version, description, keywords, license };
  for (const field of ['name', 'repository', 'homepage', 'bugs']) delete rest[field];
  write('package.json', JSON.stringify({ ...before, ...addressesOf(requireName(name)), type, ...rest }, null, 2));
}

function check() {
  const pkg = readPackage();
  const name = requireName(values.repository);
  const faults = [];
  for (const [field, wanted] of Object.entries(addressesOf(name))) {
    if (JSON.stringify(pkg[field]) === JSON.stringify(wanted)) continue;
    faults.push(`package.json: ${field} is not that of ${name}: node scripts/release.mjs repository ${name}`);
  }
  if (values.tag !== `v${pkg.version}`) faults.push(`the tag is ${values.tag}, package.json's version ${pkg.version}`);
  if (JSON.parse(read('package-lock.json')).version !== pkg.version) faults.push('package-lock.json: another version');
  if (sectionOf(pkg.version) === '') faults.push(`CHANGELOG.md: nothing under "## ${pkg.version}"`);
  for (const path of filesBelow('deploy')) {
    for (const [, tag] of read(path).matchAll(/(?:image: \S*flux-batch:|newTag: "?)([\w.-]+)/g)) {
      if (tag !== pkg.version) faults.push(`${path}: the image's tag is ${tag}`);
    }
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
  console.log(`${pkg.name} ${pkg.version} of ${name} can be released`);
}

function readme() {
  const { version, repository: where } = readPackage();
  const [, name] = /github\.com\/(.+)\.git$/.exec(where?.url ?? '') ?? [];
  if (name === undefined)
    throw new Error('package.json names no repository: node scripts/release.mjs repository owner/name');
  const pictures = `https://raw.githubusercontent.com/${name}/v${version}/`;
  const pages = `https://github.com/${name}/blob/v${version}/`;
  const absolute = read('README.md').replace(/(!?)(\[[^\]]*\])\(([^)\s]+)\)/g, (link, mark, words, target) => {
    if (/^([a-z]+:|#)/.test(target)) return link;
    return `${mark}${words}(${mark === '!' ? pictures : pages}${target})`;
  });
  write('README.md', absolute.trimEnd());
}

function notes() {
  const { version } = readPackage();
  console.log(sectionOf(version));
}

/** What CHANGELOG has below the heading of a version, which a date may follow. */
function sectionOf(version) {
  const heading = (line) => line.startsWith('## ');
  const lines = read('CHANGELOG.md').split('\n');
  const start = lines.findIndex((line) => heading(line) && line.split(/\s+/)[1] === version);
  if (start === -1) return '';
  const length = lines.slice(start + 1).findIndex(heading);
  return lines
    .slice(start + 1, length === -1 ? undefined : start + 1 + length)
    .join('\n')
    .trim();
}

function requireName(name) {
  if (/^[\w.-]+\/[\w.-]+$/.test(name ?? '')) return name;
  throw new Error(`Expected the repository as owner/name on GitHub, got ${name}`);
}

function addressesOf(name) {
  const page = `https://github.com/${name}`;
  return {
    repository: { type: 'git', url: `git+${page}.git` },
    homepage: `${page}#readme`,
    bugs: { url: `${page}/issues` },
  };
}

function filesBelow(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function write(path, text) {
  writeFileSync(path, `${text}\n`);
}
