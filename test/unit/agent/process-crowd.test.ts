import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { GroupMembers } from '../../../src/agent/connections/process-groups.ts';
import { ProcessGroups } from '../../../src/agent/connections/process-groups.ts';
import { PodGroups } from '../../../src/agent/pod-cgroup.ts';
import { oldestFirst, processesOfPods } from '../../../src/agent/sandbox.ts';

const uid = '00000000-0000-4000-8000-000000000001';
const container = 'c'.repeat(64);
const groupOf = (id: string, below = '') => `0::/kubepods/pod${uid}/${id}${below}\n`;

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;
function heldBy(make: () => unknown): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const made = make();
  collect();
  const held = process.memoryUsage().heapUsed - before;
  expect(made).toBeDefined();
  return held;
}

test('of a group its names are remembered, and not the path that they stood in', () => {
  const deep = `/${'n'.repeat(250)}`.repeat(400);
  const held = heldBy(() => {
    const groups = new PodGroups();
    for (let at = 0; at < 400; at += 1) groups.of(groupOf(String(at).padStart(64, '0'), deep));
    return groups;
  });
  expect(held).toBeLessThan(4 * 2 ** 20);
});

test('processes of one container share one group, however deep they nest theirs', () => {
  const groups = new PodGroups();
  const all = Array.from({ length: 3000 }, (_, depth) => groups.of(groupOf(container, '/x'.repeat(depth))));
  expect(new Set(all).size).toBeLessThanOrEqual(8);
  expect(all[0]).toEqual({ group: uid, container, depth: 1 });
  expect(all[1]).toEqual({ group: uid, container, depth: 2 });
});

test('the oldest is found among more processes than a call takes arguments', () => {
  const [group] = [new PodGroups().of(groupOf(container))];
  const pids = Array.from({ length: 150_000 }, (_, at) => at + 1);
  expect(oldestFirst('/nowhere', new Map(group && [[group, pids]]), 1n)).toEqual([]);
});

let procRoot: string;
beforeEach(() => {
  procRoot = mkdtempSync(join(tmpdir(), 'proc-'));
  mkdirSync(join(procRoot, 'one'));
  writeFileSync(join(procRoot, 'one/cgroup'), groupOf(container));
});
afterEach(() => {
  rmSync(procRoot, { recursive: true });
});

function crowd(from: number, to: number): void {
  for (let pid = from; pid <= to; pid += 1) symlinkSync('one', join(procRoot, String(pid)));
}

function walk(groups: ProcessGroups): GroupMembers {
  const steps = groups.walk();
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}
const sizes = (members: GroupMembers) => [...members].map(([one, pids]) => [one?.group, pids.length]);

test('of each process of a pod its number is held, and nothing else', () => {
  crowd(1, 10_000);
  const held = heldBy(() => processesOfPods(procRoot));
  expect(held / 10_000).toBeLessThan(40);
  expect([...processesOfPods(procRoot).values()].map(({ length }) => length)).toEqual([10_000]);
});

test('what is over of what is remembered is read again, and told all the same', () => {
  let nowMs = 0;
  const groups = new ProcessGroups(procRoot, () => nowMs, 10);
  crowd(1, 30);
  expect(sizes(walk(groups))).toEqual([[uid, 30]]);
  nowMs = 11_000;
  expect(sizes(walk(groups))).toEqual([[uid, 30]]);
  // What is remembered by now is believed, and the rest is looked at.
  writeFileSync(join(procRoot, 'one/cgroup'), '0::/\n');
  nowMs = 12_000;
  expect(sizes(walk(groups)).toSorted()).toEqual([
    [undefined, 20],
    [uid, 10],
  ]);
  nowMs = 61_000;
  expect(sizes(walk(groups))).toEqual([[undefined, 30]]);
});

test('a process that came a moment ago is asked again, since its runtime may move it', () => {
  let nowMs = 0;
  const groups = new ProcessGroups(procRoot, () => nowMs);
  writeFileSync(join(procRoot, 'one/cgroup'), '0::/\n');
  crowd(1, 1);
  expect(sizes(walk(groups))).toEqual([[undefined, 1]]);
  nowMs = 9000;
  writeFileSync(join(procRoot, 'one/cgroup'), groupOf(container));
  expect(sizes(walk(groups))).toEqual([[uid, 1]]);
});
