import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { ProcessHandle, ptraceScope } from '../../../src/kernel/process.ts';

let procRoot: string;
beforeEach(() => {
  procRoot = mkdtempSync(join(tmpdir(), 'proc-'));
});
afterEach(() => {
  rmSync(procRoot, { recursive: true });
});

// Once it is 3 it stays so until the machine starts again: not to be tried on the kernel of whoever runs this.
test('Yama’s setting is read where the kernel has Yama', () => {
  expect(ptraceScope(procRoot)).toBeUndefined();
  mkdirSync(join(procRoot, 'sys/kernel/yama'), { recursive: true });
  writeFileSync(join(procRoot, 'sys/kernel/yama/ptrace_scope'), '3\n');
  expect(ptraceScope(procRoot)).toBe(3);
});

test('what a program calls itself moves no cursor of whoever reads it', () => {
  mkdirSync(join(procRoot, '7'));
  writeFileSync(join(procRoot, '7/comm'), '\u001b[2J\u001b[1mOK\u202e\n');
  const handle = ProcessHandle.open(procRoot, 7);
  expect(handle.program()).toBe('[2J [1mOK');
  handle.close();
});
