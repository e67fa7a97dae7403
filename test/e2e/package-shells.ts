import { describe, expect, test } from '@jest/globals';

import { run } from '../cluster/command.ts';
import type { PackedProject } from './packed-project.ts';

/** The package as people have it: at a terminal. */
export function describeShells(project: PackedProject): void {
  /** What a terminal shows of a command line. */
  const shown = async (line: string, env: NodeJS.ProcessEnv = {}) => {
    const { stdout } = await run(['script', '-qec', line, '/dev/null'], {
      cwd: project.path,
      env: project.environment({ TERM: 'xterm', ...env }),
    });
    return stdout;
  };

  describe('colours are', () => {
    const derive = 'keepalive derive --timeout 90s';
    const mistake = 'keepalive help nothing';

    test.each<[string, string, NodeJS.ProcessEnv?]>([
      ['on a terminal', derive],
      ['on a terminal, of what is wrong', mistake],
      ['where they are forced, in a pipe', `${derive} | cat`, { FORCE_COLOR: '1' }],
      ['of what is wrong, whatever goes into a pipe', `${mistake} | cat`],
    ])('%s', async (_where, line, env = {}) => {
      expect(await shown(line, env)).toContain('\u001B[');
    });

    test.each<[string, string, NodeJS.ProcessEnv?]>([
      ['in a pipe', `${derive} | cat`],
      ['where NO_COLOR is set', derive, { NO_COLOR: '1' }],
      ['on a terminal without any', derive, { TERM: 'dumb' }],
      ['where they are forbidden by FORCE_COLOR', derive, { FORCE_COLOR: '0' }],
      ['in a file of what is wrong', `${mistake} 2> said; cat said`],
    ])('not %s', async (_where, line, env = {}) => {
      const text = await shown(line, env);
      expect(text).toMatch(/net\.ipv4\.tcp_keepalive_time {3}= 30|error: there is no command/);
      expect(text).not.toContain('\u001B');
    });
  });
}
