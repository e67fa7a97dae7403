import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { basename, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';

import { ConnectionProgram } from '../../src/kernel/connection-program.ts';
import { attachedTo, detachLink, openPinned } from '../../src/kernel/libbpf.ts';
import { workedOut } from '../../src/policy/worked-requirement.ts';
import { until } from '../cluster/wait.ts';
import { behind } from '../support/builder.ts';
import { Ground } from './connection-ground.ts';

/** Two nodes of one machine, each with a control group of its own, that see one BPF file system. */
jest.setTimeout(60_000);

let ground: Ground;
let groups: readonly [string, string];
let opened: ConnectionProgram[] = [];
beforeAll(async () => {
  ground = await Ground.start();
  const base = join(ground.groupFolder, basename(ground.machine.folder));
  groups = [`${base}-one`, `${base}-other`];
});
beforeEach(() => {
  for (const group of groups) mkdirSync(group);
});
afterEach(() => {
  for (const program of opened) program.close();
  opened = [];
  ConnectionProgram.removeAll(ground.pinFolder);
  for (const group of groups) rmdirSync(group);
});
afterAll(() => ground.stop());

async function open(groupFolder: string): Promise<ConnectionProgram> {
  const program = await ground.open({ groupFolder });
  opened.push(program);
  return program;
}

function isAttached(group: string): boolean {
  const fd = openSync(group, 'r');
  try {
    return attachedTo(fd, 'itself').ids.length > 0;
  } finally {
    closeSync(fd);
  }
}

test('each node has its own program, and is told nothing of what the other was asked', async () => {
  const [one, other] = groups;
  const first = await open(one);
  first.order(7n, workedOut(behind(90)));
  const second = await open(other);
  expect([first.isWhole, second.isWhole]).toEqual([true, true]);
  expect([isAttached(one), isAttached(other)]).toEqual([true, true]);
  expect(second.ordered()).toEqual([]);
  expect(second.others()).toEqual([]);
  second.removeOthers();
  expect((await open(one)).ordered()).toEqual([7n]);
});

test('an uninstallation on one node takes nothing of the other’s away', async () => {
  const [one, other] = groups;
  const [first, second] = [await open(one), await open(other)];
  ConnectionProgram.removeAll(ground.pinFolder, other);
  expect([first.isWhole, second.isWhole]).toEqual([true, false]);
  expect([isAttached(one), isAttached(other)]).toEqual([true, false]);
  ConnectionProgram.removeAll(ground.pinFolder, one);
  expect(existsSync(ground.pinFolder)).toBe(false);
});

test('what acts in a control group that was removed is not taken for the program of the next one of that name', async () => {
  const [one] = groups;
  const program = await open(one);
  rmdirSync(one);
  mkdirSync(one);
  expect(program.isWhole).toBe(false);
  const again = await open(one);
  expect(again.isWhole).toBe(true);
  await until('it acts there', () => isAttached(one));
});

test('pins of a program that somebody detached are not taken for one that acts', async () => {
  const [one] = groups;
  const program = await open(one);
  const link = openPinned(join(program.folder, 'born'));
  detachLink(link);
  closeSync(link);
  expect(existsSync(join(program.folder, 'born'))).toBe(true);
  expect(program.isWhole).toBe(false);
  expect((await open(one)).isWhole).toBe(true);
  await until('it acts there', () => isAttached(one));
});

test('pins of a build that named no group in them go with the node that they act on, and with no other', async () => {
  const [one, other] = groups;
  const first = await open(one);
  // As earlier builds called them.
  renameSync(first.folder, join(ground.pinFolder, '0123456789abcdef'));
  const names = () => readdirSync(ground.pinFolder);
  const second = await open(other);
  second.removeOthers();
  expect(second.others()).toEqual([]);
  expect(names()).toHaveLength(2);
  (await open(one)).removeOthers();
  expect(names()).toHaveLength(2);
  expect(names()).not.toContain('0123456789abcdef');
});

test('pins that act in a control group that is no more go with any node', async () => {
  const [one, other] = groups;
  await open(one);
  const second = await open(other);
  const names = () => readdirSync(ground.pinFolder);
  second.removeOthers();
  expect(names()).toHaveLength(2);
  rmdirSync(one);
  // The kernel detaches what was attached there a moment later.
  await until('they are gone', () => {
    second.removeOthers();
    return names().length === 1;
  });
  expect([names(), second.isWhole]).toEqual([[basename(second.folder)], true]);
  mkdirSync(one);
});

test('those that another node is about to make stay, whether its program is there yet or not', async () => {
  const [one, other] = groups;
  const first = await open(one);
  const second = await open(other);
  unlinkSync(join(first.folder, 'born'));
  second.removeOthers();
  ConnectionProgram.removeAll(ground.pinFolder, other);
  expect(readdirSync(ground.pinFolder)).toEqual([basename(first.folder)]);
});
