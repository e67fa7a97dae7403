import { expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';

test.each<[string[], string]>([
  [[], 'Usage: keepalive [options] [command]'],
  [['stauts'], "unknown command 'stauts'\n(Did you mean status?)"],
  [['help', 'nothing'], 'there is no command nothing (see `keepalive --help`)'],
  [['help', 'stauts'], 'there is no command stauts: did you mean status?'],
  [['status', 'extra'], '(see `keepalive status --help`)'],
  [['doctor', '-o', 'xml'], 'Allowed choices are text, json'],
  [['completion', 'tcsh'], 'bash'],
])('%j is called wrongly, and what to do is said', async (argv, words) => {
  const { code, stdout, stderr } = await keepalive(argv);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});

test.each([['help'], ['help', 'status'], ['help', 'completion'], ['status', '--help']])(
  '%j is answered',
  async (...argv) => {
    const { code, stdout, stderr } = await keepalive(argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Usage: keepalive');
  },
);
