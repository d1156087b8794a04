import { expect, test, vi } from 'vitest';
import { say } from '../../src/text/terminal.ts';

test('what is said cannot steer the terminal, whoever wrote it, and keeps its lines', () => {
  const written: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  say('error: \u001b]0;owned\u0007 said \u202eeht provider\n  a hint\u009b2J');
  write.mockRestore();
  expect(written.join('')).toBe('error:  ]0;owned  said  eht provider\n  a hint 2J\n');
});
