import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { LedgerEntry } from '../../src/agent/ledger-line.ts';
import { Ledger } from '../../src/agent/ledger.ts';
import type { PodPlace } from '../../src/policy/place.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { Machine } from './machine.ts';

const pageBytes = 4096;
let machine: Machine;
let folder: string;
beforeEach(async () => {
  machine = await Machine.start();
  // Of three pages: one is the ledger's, two go to whoever fills the disk.
  await machine.host.execOrThrow(
    ['sh', '-ec', 'mkdir /run/small; mount -t tmpfs -o size=12k none /run/small'],
    { cwd: '/' },
  );
  folder = `/proc/${machine.host.id.pid}/root/run/small`;
});
afterEach(() => machine.stop());

const entry = (place: PodPlace): LedgerEntry => ({
  ...{ place, group: 'abc-1', namespace: `cookie ${place.length}`, repaired: 0 },
  memory: { timeSeconds: { found: 7200, ours: [30] } },
});
const entriesOf = (file: string) => [...Ledger.open(file, 'boot').entries()].map(({ place }) => place);

test('a line that a full disk tore swallows no other, and what could not be noted is not believed', () => {
  const file = `${folder}/ledger`;
  const ledger = Ledger.open(file, 'boot');
  const noted: PodPlace[] = [];
  const lineBytes = JSON.stringify(entry(placeOfPod('0'))).length + 1;
  while (statSync(file).size + lineBytes + 2 < pageBytes) {
    noted.push(placeOfPod(`${noted.length}`));
    ledger.note(entry(placeOfPod(`${noted.length - 1}`)), 'once');
  }
  writeFileSync(`${folder}/log`, Buffer.alloc(2 * pageBytes));
  const torn = placeOfPod('torn');
  expect(() => ledger.note(entry(torn), 'once')).toThrow('ENOSPC');
  // Or nothing would be shown here.
  expect(readFileSync(file, 'utf8').endsWith('\n')).toBe(false);
  expect(ledger.get(torn)).toBeUndefined();
  expect(() => ledger.note(entry(torn), 'once')).toThrow('ENOSPC');
  expect(() => ledger.remove(placeOfPod('0'))).not.toThrow();
  rmSync(`${folder}/log`);
  const next = placeOfPod('next');
  ledger.note(entry(next), 'once');
  expect(entriesOf(file)).toEqual([...noted.slice(1), next]);
});

test('one that its writer was ended in the middle of swallows nothing of the next agent’s', () => {
  const file = `${folder}/ledger`;
  Ledger.open(file, 'boot').note(entry(placeOfPod('0')), 'once');
  writeFileSync(file, readFileSync(file, 'utf8') + JSON.stringify(entry(placeOfPod('1'))).slice(0, 50));
  const next = Ledger.open(file, 'boot');
  expect(next.ignored).toBe(1);
  next.note(entry(placeOfPod('2')), 'once');
  expect(entriesOf(file)).toEqual([placeOfPod('0'), placeOfPod('2')]);
});
