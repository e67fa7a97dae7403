import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { PodFolders } from '../../../../src/agent/connections/pod-folders.ts';
import type { PodPlace } from '../../../../src/policy/place.ts';
import { placeOfPod } from '../../../../src/policy/place.ts';

const one = '00000000-0000-4000-8000-000000000001';
const other = '00000000-0000-4000-8000-000000000002';
const place = placeOfPod(one);
const folderOf = (uid: string) => `kubepods/besteffort/pod${uid}`;
const standingIn = (uid: string) => `0::/${folderOf(uid)}/${'c'.repeat(64)}\n`;

let root: string;
let folders: PodFolders;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pod-folders-'));
  for (const uid of [one, other]) mkdirSync(join(root, 'groups', folderOf(uid)), { recursive: true });
  mkdirSync(join(root, 'proc/100'), { recursive: true });
  spawnSync('mkfifo', [join(root, 'proc/100/cgroup')]);
  folders = new PodFolders(join(root, 'proc'), join(root, 'groups'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** Whoever reads where process 100 stands is told the one at first, and the other whenever he asks again. */
function find(first: string, then: string): ReadonlyMap<PodPlace, bigint> {
  const [file, next] = [join(root, 'proc/100/cgroup'), join(root, 'next')];
  writeFileSync(next, then);
  // The other is in its place before the one is told.
  const script = 'exec 3> "$1"; mv "$2" "$1"; printf %s "$3" >&3';
  const teller = spawn('sh', ['-c', script, 'sh', file, next, first], { stdio: 'ignore' });
  const pods = new Map([[place, { name: 'db/host', group: one, containers: [] }]]);
  const found = folders.find({ places: new Set([place]), sought: new Set([place]) }, pods);
  teller.kill();
  return found;
}

test('the folder of a pod is found by a process that stands in it', () => {
  expect([...find(standingIn(one), standingIn(one)).keys()]).toEqual([place]);
});

test('one whose number went to a process of another pod in between leads to nobody', () => {
  expect(find(standingIn(one), standingIn(other)).size).toBe(0);
});
