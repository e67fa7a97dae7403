import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Page } from './page.ts';

const page = new Page('docs/cli.md');
const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'keepalive-docs-'));

interface Command {
  readonly line: string;
  readonly output: string;
}

/** `$ keepalive …` and what stands below it. */
const commands = page.blocks('console').flatMap((block) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((text): Command => {
      const [line = '', ...output] = text.split('\n');
      return { line, output: output.join('\n') };
    }),
);

/** The files that the page shows, by the name in their first line: `# policies.yaml`. */
const files = page.blocks('yaml').flatMap((text) => {
  const name = /^# (\S+\.yaml)\n/.exec(text)?.[1];
  return name === undefined ? [] : [[name, text] as const];
});

beforeAll(() => {
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  const program = join(folder, 'keepalive');
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${join(root, 'src/cli/main.ts')} "$@"\n`);
  chmodSync(program, 0o755);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function shell(line: string): Promise<string> {
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile('sh', ['-c', `(${line}) 2>&1`], { cwd: folder, env }, (_error, stdout) => {
      resolve(stdout);
    });
  });
}

/** A line of one ellipsis stands for whatever is there. */
function patternOf(output: string): RegExp {
  const parts = output.split(/^…\n/m).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`);
}

describe('docs/cli.md', () => {
  test('runs commands', () => {
    expect(commands.length).toBeGreaterThan(2);
  });

  // One after the other: a later one may need what an earlier one wrote.
  test.each(commands.map((command) => [command.line, command] as const))(
    '$ %s prints what the page says',
    async (_line, { line, output }) => {
      const printed = await shell(line);
      if (!patternOf(output).test(printed)) expect(printed).toBe(output);
    },
  );
});
