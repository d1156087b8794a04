import { describe, expect, it } from 'vitest';
import { type Crew, startCrew } from '../batch/crew.ts';
import { run } from './cli.ts';

/** Starting a process takes a second or two on a busy machine. */
describe('flux-batch gate', () => {
  it.each([
    // That both names know both actions, the help says below.
    ['gate', 'open'],
    ['breaker', 'reset'],
  ])('%s %s resets the circuit breaker and says so', async (command, action) => {
    const crew = await startCrew();
    await trip(crew);
    expect(await run(crew.env, command, action)).toEqual({
      code: 0,
      stdout: '',
      stderr: 'submitting again; it was stopped (maintenance)\n',
    });
    expect(await crew.connections.state.breaker()).toBeUndefined();

    await trip(crew);
    const { stdout } = await run(crew.env, command, action, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ gate: { refusal: 'maintenance' }, opened: true });
    expect(await crew.connections.state.breaker()).toBeUndefined();
  });

  it('breaker says why submitting is stopped, as gate does', async () => {
    const crew = await startCrew();
    expect((await run(crew.env, 'breaker')).stderr).toBe('submitting is not stopped\n');
    await trip(crew);
    for (const command of ['gate', 'breaker']) {
      expect((await run(crew.env, command)).stderr).toContain('submitting is stopped (maintenance)');
    }
    expect(JSON.parse((await run(crew.env, 'breaker', '--json')).stdout)).toMatchObject({ opened: false });
    expect(await crew.connections.state.breaker()).toBeDefined();
  });

  it('shows both names and both actions in its help', async () => {
    const list = await run({}, '--help');
    expect(list.stdout).toMatch(/^ {2}gate\|breaker \[options\] \[action\] .*\breset\b/m);
    const [byName, byAlias, byHelp] = await Promise.all([
      run({}, 'gate', '--help'),
      run({}, 'breaker', '--help'),
      run({}, 'help', 'breaker'),
    ]);
    expect(byName).toMatchObject({ code: 0, stdout: expect.stringContaining('choices: "open", "reset"') });
    expect(byName.stdout).toContain('gate|breaker');
    expect(byAlias).toEqual(byName);
    expect(byHelp).toEqual(byName);
  });
});

async function trip({ connections }: Crew): Promise<void> {
  const facts = { refusal: 'maintenance', message: 'back soon', probeAfterMs: 60_000, byProbe: false } as const;
  await connections.state.tripBreaker(facts);
}
