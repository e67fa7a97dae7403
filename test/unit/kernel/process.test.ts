import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { ProcessHandle, ptraceScope, readCgroups } from '../../../src/kernel/process.ts';

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

describe('where a process stands in version 1, whose first thread stands at the top once it has ended,', () => {
  const top = '4:pids:/\n1:name=systemd:/\n0::/\n';
  const below = '4:pids:/kubepods/one\n1:name=systemd:/\n0::/\n';
  /** Process 7; each thread by its state. */
  const play = (threads: Readonly<Record<string, string>>, first = top) => {
    for (const [thread, state] of Object.entries(threads)) {
      const folder = join(procRoot, '7/task', thread);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'stat'), `${thread} (a program) ${state} 1`);
      writeFileSync(join(folder, 'cgroup'), state === 'Z' ? top : below);
    }
    writeFileSync(join(procRoot, '7/cgroup'), first);
    writeFileSync(join(procRoot, '7/stat'), `7 (a program) ${threads[7] ?? ''} 1`);
  };
  const both = () => {
    const handle = ProcessHandle.open(procRoot, 7);
    const texts = [handle.cgroups(), readCgroups(procRoot, 7)];
    handle.close();
    return texts;
  };

  test('is told by a thread that goes on', () => {
    play({ 7: 'Z', 8: 'Z', 9: 'S' });
    expect(both()).toEqual([below, below]);
  });

  test('is the top where that one lives, as of a thread of the kernel', () => {
    play({ 7: 'S', 9: 'S' });
    expect(both()).toEqual([top, top]);
  });

  test('is the top where all have ended', () => {
    play({ 7: 'Z', 8: 'Z' });
    expect(both()).toEqual([top, top]);
  });
});
