import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { commandsOf, filesOf, needsCluster, patternOf } from './console.ts';
import { Page } from './page.ts';

const page = new Page('docs/cli.md');
const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'keepalive-docs-'));

const commands = commandsOf(page).filter((command) => !needsCluster(command));

beforeAll(() => {
  for (const [name, text] of filesOf(page)) writeFileSync(join(folder, name), text);
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
