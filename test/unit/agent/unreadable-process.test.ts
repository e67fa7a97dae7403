import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { LeftBehindBefore } from '../../../src/agent/connections/left-behind.ts';
import { ProcessGroups } from '../../../src/agent/connections/process-groups.ts';
import { oldestFirst, processesOfPods } from '../../../src/agent/sandbox.ts';
import { Turn } from '../../../src/agent/turn.ts';
import { isStillThere } from '../../../src/kernel/process.ts';

const uid = '00000000-0000-4000-8000-000000000001';
const ofPod = `0::/kubepods/pod${uid}/${'c'.repeat(64)}\n`;
const hostNetwork = 1n;
const stat = (pid: number, state: string) => `${pid} (some) ${state} ${'0 '.repeat(18)}77 0\n`;

/** 1 is the machine's first process, 7 one of a pod; of 8 the kernel tells nothing but that it is there. */
let procRoot: string;
beforeEach(() => {
  procRoot = mkdtempSync(join(tmpdir(), 'proc-'));
  for (const [pid, cgroup] of [
    [1, '0::/\n'],
    [7, ofPod],
  ] as const) {
    mkdirSync(join(procRoot, String(pid)));
    writeFileSync(join(procRoot, String(pid), 'cgroup'), cgroup);
    writeFileSync(join(procRoot, String(pid), 'stat'), stat(pid, 'D'));
  }
  // Whoever reads a folder is refused by a code that says nothing of an end.
  for (const name of ['cgroup', 'stat', 'comm']) mkdirSync(join(procRoot, '8', name), { recursive: true });
});
afterEach(() => {
  rmSync(procRoot, { recursive: true });
});

function call(pid: number, comm: string, exe: string): void {
  writeFileSync(join(procRoot, String(pid), 'comm'), `${comm}\n`);
  symlinkSync(exe, join(procRoot, String(pid), 'exe'));
}

test('a process that cannot be read hides no other from who looks for pods', () => {
  const found = [...processesOfPods(procRoot)];
  expect(found).toMatchObject([[{ group: uid }, [7]]]);
  const [group] = found[0] ?? [];
  const both = new Map(group && [[group, [7, 8]]]);
  expect(oldestFirst(procRoot, both, hostNetwork)).toEqual([7]);
});

test('a process that cannot be read is nobody’s, and least of all the host’s', () => {
  const steps = new ProcessGroups(procRoot).walk();
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const groups = new Map([...step.value].map(([found, pids]) => [found?.group, pids]));
  expect(groups).toEqual(
    new Map([
      [undefined, [1]],
      [uid, [7]],
    ]),
  );
});

test('a process that cannot be read is none that an earlier agent left behind, and keeps no agent from its start', () => {
  call(1, 'keepalive-socks', process.execPath);
  expect(new LeftBehindBefore(procRoot).count).toBe(1);
  rmSync(join(procRoot, '8/stat'), { recursive: true });
  writeFileSync(join(procRoot, '8/stat'), stat(8, 'D'));
  expect(new LeftBehindBefore(procRoot).count).toBe(1);
  rmSync(join(procRoot, '1'), { recursive: true });
  rmSync(join(procRoot, '8/comm'), { recursive: true });
  call(8, 'keepalive-socks', process.execPath);
  expect(new LeftBehindBefore(procRoot).count).toBe(0);
});

test.each([
  ['ours, by its name and its program', 'keepalive-socks', process.execPath, 1],
  ['another of the same program', 'node', process.execPath, 0],
  ['another that has our name', 'keepalive-socks', '/usr/bin/true', 0],
])(
  'what an earlier agent left behind is told without a look into its memory: %s',
  (_what, comm, exe, count) => {
    call(1, comm, exe);
    expect(new LeftBehindBefore(procRoot).count).toBe(count);
  },
);

test('a process that cannot be read is not the one that was met, and stops nobody who asks', () => {
  expect(isStillThere(procRoot, { pid: 7, started: 77 })).toBe(true);
  expect(isStillThere(procRoot, { pid: 8, started: 77 })).toBe(false);
});

test('an agent whose thread cannot be read may live, and is waited for', () => {
  const file = join(procRoot, 'state/lock');
  const holder = new Turn(file, '/proc');
  holder.take();
  writeFileSync(file, JSON.stringify({ thread: '8/task/8', started: 77 }));
  mkdirSync(join(procRoot, '8/task/8/stat'), { recursive: true });
  expect(new Turn(file, procRoot).take()).toBe('another agent, process 8');
  holder.release();
});
