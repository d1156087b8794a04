import { describe, expect, onTestFinished, test } from 'vitest';
import { readBatchFile } from '../../src/archive/batch-file.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { BATCH, openRig, prompts, QUICK } from '../batch/rig.ts';

describe('flux-batch run', () => {
  test('stops with 3 when it is out of budget, says what is left and what that would cost, and goes on with more', async () => {
    const rig = await openRig();
    const file = await rig.manifest(prompts(10));
    const first = await rig.run(['run', file, '--budget', '50', '--json']);
    expect(first.code).toBe(3);
    expect(first.stderr).toContain('out of budget: 48 credits spent, of 50; 4 items left, which would cost 32 credits');
    expect(first.stderr).toContain('--budget 80');
    expect(first.stderr).toContain('credits: 48 known, and the balance fell by 48');
    expect(JSON.parse(first.stdout)).toMatchObject({
      stopped: 'out-of-budget',
      budget: 50,
      beyondBudget: { items: 4, credits: 32 },
      balance: { known: 48, unaccounted: 0 },
    });
    expect(rig.charged()).toBe(48);
    expect((await rig.run(['run', file, '--budget', '80'])).code).toBe(0);
    expect(rig.charged()).toBe(80);
  });

  test('holds all to a budget in USD, and an account to one of its own', async () => {
    const bfl = await startSimulator({ ...QUICK, provider: 'bfl' });
    onTestFinished(() => bfl.close());
    const env = { FLUX_PRICES: '', BFL_API_URL: bfl.url, BFL_API_KEY: bfl.apiKey };
    const rig = await openRig({ env, simulator: { prices: { pro: 5, max: 10 } } });
    const jobs = (provider: string, model: string) =>
      prompts(4).map((prompt, index) => ({ id: `${provider}-${index}`, prompt, provider, model }));
    const file = await rig.manifestOf([...jobs('kie', 'flux-kontext-pro'), ...jobs('bfl', 'flux-2-pro')]);
    const planned = await rig.run(['plan', file, '--budget', '1usd,bfl=7']);
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toContain('200 credits ($1.00), of bfl 14 credits ($0.07): not for all');
    const first = await rig.run(['run', file, '--budget', '1usd,bfl=7', '--json']);
    expect(first).toMatchObject({ code: 3, stderr: expect.stringContaining('of 200, and 14 of bfl; 2 items left') });
    expect(JSON.parse(first.stdout)).toMatchObject({ budget: 200, items: { archived: 6, queued: 2 }, credits: 32 });
    const ledgers = () => [rig.charged(), bfl.ledger().credits.charged];
    expect(ledgers()).toEqual([20, 6]);
    // By the records alone, each in its own account.
    await rig.flush();
    expect((await rig.run(['run', file, '--budget', '1usd,bfl=7'])).code).toBe(3);
    expect(ledgers()).toEqual([20, 6]);
    const status = await rig.run(['status', BATCH]);
    expect(status.stdout).toContain('32 of 200 credits ($0.16 of $1.00); of bfl 12 of 14: OUT OF BUDGET');
    expect((await readBatchFile(rig.connections.archive, BATCH))?.settings).toMatchObject({
      ...{ budgetCredits: 200, budgetOfAccounts: { bfl: 14 } },
      budget: '200 credits ($1.00), of bfl 14 credits ($0.07)',
    });
    // In USD across both: 44 credits of kie.
    expect((await rig.run(['run', file, '--budget', '0.21usd'])).code).toBe(3);
    expect(ledgers()).toEqual([20, 9]);
    expect((await rig.run(['run', file, '--budget', '$0.22'])).code).toBe(0);
    expect(ledgers()).toEqual([20, 12]);
  });

  test('refuses a budget when the price of a model is not known', async () => {
    const rig = await openRig({ env: { FLUX_PRICES: new URL('no-max.json', import.meta.url).pathname } });
    const file = await rig.manifest(prompts(2), 'flux-kontext-max');
    const { code, stderr } = await rig.run(['run', file, '--budget', '50']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/No price for flux-kontext-max in .*no-max\.json/);
    expect(rig.submits()).toBe(0);
  });

  test('says of what it cannot account for that a held item may have been charged', async () => {
    const rig = await openRig({ simulator: { faults: [{ name: 'reset-after-accept', times: 1 }] } });
    const { code, stderr } = await rig.run(['run', await rig.manifest(prompts(4))]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'credits: 24 known, balance fell by 32: 8 unaccounted — 1 held item may have been charged',
    );
  });

  test('asks for --yes above the threshold where nobody can be asked, before anything is sent', async () => {
    const rig = await openRig({ env: { CONFIRM_CREDITS: '30' } });
    const file = await rig.manifest(prompts(4));
    const refused = await rig.run(['run', file]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('4 to submit for 32 credits, about $0.16, more than CONFIRM_CREDITS=30');
    expect(refused.stderr).toContain('--yes');
    expect(rig.submits()).toBe(0);
    expect((await rig.run(['run', file, '--budget', '24'])).code).toBe(3);
    expect((await rig.run(['run', file, '--yes'])).code).toBe(0);
    // Nothing is left to be paid for.
    expect((await rig.run(['run', file])).code).toBe(0);
  });
});
