import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { nextSteps } from '../../src/commands/next-steps.ts';

afterEach(() => void vi.unstubAllEnvs());

const page = () => {
  const archive = join(process.cwd(), 'archive');
  const [step] = nextSteps({ batch: 'autumn', archive, archived: 1, failures: [], inPart: 0, flags: {} });
  return step?.command.split(' ').at(-1);
};

test('the gallery is named from where the person is, also where npm runs the command in the folder of a package', () => {
  vi.stubEnv('INIT_CWD', undefined);
  expect(page()).toBe('archive/autumn/index.html');
  vi.stubEnv('INIT_CWD', process.cwd());
  expect(page()).toBe('archive/autumn/index.html');
  vi.stubEnv('INIT_CWD', '/somewhere/else');
  expect(page()).toBe(join(process.cwd(), 'archive/autumn/index.html'));
});

test('images that archived items lack are asked for once more by rescue, where they are known', () => {
  const ending = {
    batch: 'autumn',
    archive: 's3://pictures',
    archived: 0,
    failures: [],
    flags: { redis: 'redis://r' },
  };
  expect(nextSteps({ ...ending, inPart: 0 })).toEqual([]);
  expect(nextSteps({ ...ending, inPart: 2 })).toEqual([
    {
      command: 'flux-batch rescue autumn --redis redis://r',
      what: 'ask once more for what 2 items of several images lack, at no cost',
    },
  ]);
});
