import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { LedgerEntry } from '../../../src/agent/ledger.ts';
import { Ledger } from '../../../src/agent/ledger.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepalive-ledger-'));
  file = join(folder, 'state/ledger');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const entry = (place: string, set = 30, repaired = 0): LedgerEntry => ({
  ...{ place, namespace: 'cookie 7', repaired },
  memory: { timeSeconds: { found: 7200, ours: [set] } },
});
const reopened = () => [...Ledger.open(file, 'boot-1').entries()];

test('what was noted is there for whoever opens it next, the last word of each place', () => {
  const ledger = Ledger.open(file, 'boot-1');
  ledger.note(entry('a'), 'once');
  ledger.note(entry('b'), 'once');
  ledger.note(entry('a', 20, 1), 'once');
  ledger.remove('b');
  expect(reopened()).toEqual([entry('a', 20, 1)]);
});

test('what is noted for later is known here, and the file keeps what it said', () => {
  const ledger = Ledger.open(file, 'boot-1');
  ledger.note(entry('a'), 'once');
  ledger.note(entry('a', 20), 'later');
  expect(ledger.get('a')).toEqual(entry('a', 20));
  expect(reopened()).toEqual([entry('a')]);
});

test('of another boot nothing counts: the values went with it', () => {
  Ledger.open(file, 'boot-1').note(entry('a'), 'once');
  expect([...Ledger.open(file, 'boot-2').entries()]).toEqual([]);
  expect(reopened()).toEqual([]);
});

test('a line that its writer was ended in the middle of is passed over', () => {
  Ledger.open(file, 'boot-1').note(entry('a'), 'once');
  appendFileSync(file, JSON.stringify(entry('b')).slice(0, 40));
  expect(reopened()).toEqual([entry('a')]);
});

test('a file that is not one of ours is begun anew', () => {
  Ledger.open(file, 'boot-1').erase();
  appendFileSync(file, '\u0000garbage\n{"place": 1}\n');
  expect(reopened()).toEqual([]);
});

test('removed while it is in use, it is whole again with the next word', () => {
  const ledger = Ledger.open(file, 'boot-1');
  ledger.note(entry('a'), 'once');
  rmSync(join(folder, 'state'), { recursive: true });
  ledger.note(entry('b'), 'once');
  expect(reopened()).toEqual([entry('a'), entry('b')]);
});

test('it does not grow for ever', () => {
  const ledger = Ledger.open(file, 'boot-1');
  for (let time = 0; time < 20_000; time += 1) ledger.note(entry('a', (time % 50) + 1), 'once');
  expect(statSync(file).size).toBeLessThan(1_100_000);
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(12_000);
  expect(reopened()).toEqual([entry('a', 50)]);
});
