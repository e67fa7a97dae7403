import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { Standstill } from '../../../src/agent/standstill.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepalive-standstill-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const open = (...path: string[]) => new Standstill(join(folder, ...path));

test('what was noted is known to the next process, until it is taken back', () => {
  const first = open('state', 'standstill');
  expect(first.isNoted).toBe(false);
  first.note(true);
  const next = open('state', 'standstill');
  expect(next.isNoted).toBe(true);
  next.note(false);
  expect(open('state', 'standstill').isNoted).toBe(false);
  expect(readdirSync(join(folder, 'state'))).toEqual([]);
});

test('a node that takes no file does not keep the agent from its work', () => {
  writeFileSync(join(folder, 'state'), 'in the way');
  const standstill = open('state', 'standstill');
  standstill.note(true);
  expect(standstill.isNoted).toBe(false);
});
