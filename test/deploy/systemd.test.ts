import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { longestDrainMs } from '../../src/wiring/fleet.ts';

const folder = fileURLToPath(new URL('../../deploy/systemd/', import.meta.url));
const units = () => readdir(folder);

/** `Name=value` by section. A line that is neither that, a heading nor a comment is a mistake. */
async function settingsOf(unit: string): Promise<Record<string, Record<string, string>>> {
  const sections: Record<string, Record<string, string>> = {};
  let section = '';
  for (const line of (await readFile(`${folder}${unit}`, 'utf8')).split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[(\w+)\]$/.exec(line)?.[1];
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (heading === undefined && name === undefined)
      throw new Error(`${unit}: neither a section nor a setting: ${line}`);
    section = heading ?? section;
    sections[section] ??= {};
    if (name !== undefined) Object.assign(sections[section] ?? {}, { [name]: value });
  }
  return sections;
}

test('the units start commands that there are, from settings in a file, and begin again but for a mistake in those', async () => {
  expect(await units()).toEqual(['flux-batch-inbox.service', 'flux-batch-serve.service', 'flux-batch-worker@.service']);
  for (const unit of await units()) {
    const { Service, Unit, Install } = await settingsOf(unit);
    const command = /^flux-batch-(\w+)/.exec(unit)?.[1];
    expect(Service).toMatchObject({
      ExecStart: `/opt/flux-batch/bin/flux-batch ${command}`,
      EnvironmentFile: '/etc/flux-batch/env',
      Restart: 'always',
      RestartPreventExitStatus: '2',
    });
    expect(Unit).toMatchObject({ StartLimitIntervalSec: '0' });
    expect(Install).toEqual({ WantedBy: 'multi-user.target' });
  }
});

test('a worker is given longer to stop than its longest drain, and only it gets the signal', async () => {
  const { Service } = await settingsOf('flux-batch-worker@.service');
  expect(Number(Service?.TimeoutStopSec) * 1_000).toBeGreaterThan(longestDrainMs(loadConfig()));
  expect(Service).toMatchObject({ KillSignal: 'SIGTERM', KillMode: 'mixed' });
});
