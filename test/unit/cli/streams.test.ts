import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, jest, test } from '@jest/globals';

import { Folder } from './folder.ts';
import { policy, yaml } from './manifests.ts';

// Each starts the tool anew.
jest.setTimeout(60_000);

const source = (file: string) => [
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, '../../../src/cli', file),
];
const keepalive = source('main.ts');
/** More than a pipe holds. */
const refused = yaml(
  ...Array.from({ length: 400 }, (_, at) => policy({ mode: 'Dry' }, { name: `policy-${at}` })),
);
const valid = yaml(policy());

/** The exit code, where whoever reads has gone before the first byte. */
async function unread(stream: 'stdout' | 'stderr', argv: readonly string[], cwd: string) {
  const child = spawn(process.execPath, argv, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  child[stream].destroy();
  const ended = once(child, 'close');
  let rest = '';
  const other = stream === 'stdout' ? child.stderr : child.stdout;
  other.on('data', (bytes: Buffer) => (rest += bytes.toString()));
  const [code] = (await ended) as [number | null];
  return { code, rest };
}

describe('a reader that has seen enough', () => {
  test.each([
    ['refused', refused, 1],
    ['valid', valid, 0],
  ])('changes no exit code of keepalive check: what it reads is %s', async (_word, text, code) => {
    using folder = new Folder({ 'policies.yaml': text });
    expect(await unread('stdout', [...keepalive, 'check'], folder.path)).toEqual({ code, rest: '' });
  });

  test('of standard error changes none either', async () => {
    using folder = new Folder({ 'policies.yaml': refused });
    const argv = [...keepalive, 'render', '-f', '.'];
    expect(await unread('stderr', argv, folder.path)).toEqual({ code: 1, rest: '' });
  });

  test('of completions leaves no trace of a stack', async () => {
    using folder = new Folder({});
    const argv = [...source('kubectl-complete.ts'), 'derive', '--'];
    expect(await unread('stdout', argv, folder.path)).toEqual({ code: 0, rest: '' });
  });
});

test('an output that takes nothing more ends it with 2 and one line, and not as if all were written', () => {
  using folder = new Folder({ 'policies.yaml': valid });
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [...keepalive, 'check'], {
    cwd: folder.path,
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'error: standard output cannot be written (ENOSPC)\n',
  });
});
