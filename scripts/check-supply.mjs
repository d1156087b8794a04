// What we ship of others: each package's licence is one of a short list, each entry of the lock file has a digest, and no hole is known
// where the registry can tell. `npm sbom` knows what is installed. An argument is where the SBOM (CycloneDX) is written to.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const ALLOWED = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
];
/** With the reason; by name without the platform. */
const EXCEPTIONS = {
  '@img/sharp-libvips': 'LGPL-3.0-or-later: a shared library that is loaded as it is, and can be replaced',
  'dejavu-fonts-ttf': 'the free licence of Bitstream Vera, which is no SPDX identifier',
};
const problems = [];

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
for (const [path, { integrity }] of Object.entries(lock.packages)) {
  if (path !== '' && integrity === undefined) problems.push(`package-lock.json: ${path} has no integrity`);
}

const sbom = npm('sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev');
if (sbom.status !== 0) throw new Error(`npm sbom: ${sbom.stderr}`);
if (process.argv[2]) writeFileSync(process.argv[2], sbom.stdout);
const { components } = JSON.parse(sbom.stdout);
for (const { group, name, version, licenses = [] } of components) {
  const full = group ? `${group}/${name}` : name;
  if (Object.keys(EXCEPTIONS).some((exception) => full.startsWith(exception))) continue;
  const named = licenses.map(({ license, expression }) => license?.id ?? license?.name ?? expression);
  if (named.length === 0 || !named.every((one) => ALLOWED.includes(one))) {
    problems.push(
      `${full} ${version}: licence ${named.join(', ') || 'unknown'} is not on the list in scripts/check-supply.mjs`,
    );
  }
}

const audit = npm('audit', '--omit', 'dev', '--audit-level', 'high', '--json');
const report = parsed(audit.stdout);
if (report?.metadata?.vulnerabilities === undefined) console.log('npm audit: the registry at hand does not answer it');
else {
  const { high, critical, total } = report.metadata.vulnerabilities;
  console.log(`npm audit: ${total} known, ${high + critical} of them high or critical`);
  for (const [name, { severity }] of Object.entries(report.vulnerabilities)) {
    if (severity === 'high' || severity === 'critical') problems.push(`npm audit: ${name} is ${severity}`);
  }
}

for (const problem of problems) console.error(problem);
console.log(`${components.length} packages, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;

function npm(...args) {
  return spawnSync('npm', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
