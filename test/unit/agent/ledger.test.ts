import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { LedgerEntry } from '../../../src/agent/ledger-line.ts';
import { Ledger } from '../../../src/agent/ledger.ts';
import type { PodPlace } from '../../../src/policy/place.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepalive-ledger-'));
  file = join(folder, 'state/ledger');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const entry = (place: PodPlace, set = 30, repaired = 0): LedgerEntry => ({
  ...{ place, group: 'abc-1', namespace: 'cookie 7', repaired },
  memory: { timeSeconds: { found: 7200, ours: [set] } },
});
const reopened = () => [...Ledger.open(file, 'boot-1').entries()];

test('what was noted is there for whoever opens it next, the last word of each place', () => {
  const ledger = Ledger.open(file, 'boot-1');
  ledger.note(entry('pod/a'), 'once');
  ledger.note(entry('pod/b'), 'once');
  ledger.note(entry('pod/a', 20, 1), 'once');
  ledger.remove('pod/b');
  expect(reopened()).toEqual([entry('pod/a', 20, 1)]);
});

test('what is noted for later is known here, and the file keeps what it said', () => {
  const ledger = Ledger.open(file, 'boot-1');
  ledger.note(entry('pod/a'), 'once');
  ledger.note(entry('pod/a', 20), 'later');
  expect(ledger.get('pod/a')).toEqual(entry('pod/a', 20));
  expect(reopened()).toEqual([entry('pod/a')]);
});

test('what is noted where possible is in the file, and known here where it cannot be', () => {
  const ledger = Ledger.open(file, 'boot-1');
  ledger.note(entry('pod/a'), 'where possible');
  expect(reopened()).toEqual([entry('pod/a')]);
  rmSync(join(folder, 'state'), { recursive: true });
  writeFileSync(join(folder, 'state'), 'no folder');
  ledger.note(entry('pod/a', 20), 'where possible');
  expect(ledger.get('pod/a')).toEqual(entry('pod/a', 20));
  expect(() => ledger.note(entry('pod/a', 10), 'once')).toThrow(/EEXIST|ENOTDIR/);
  expect(ledger.get('pod/a')).toEqual(entry('pod/a', 20));
});

test('of another boot nothing counts: the values went with it', () => {
  Ledger.open(file, 'boot-1').note(entry('pod/a'), 'once');
  expect([...Ledger.open(file, 'boot-2').entries()]).toEqual([]);
  expect(reopened()).toEqual([]);
});

test('a line that its writer was ended in the middle of is passed over', () => {
  Ledger.open(file, 'boot-1').note(entry('pod/a'), 'once');
  appendFileSync(file, JSON.stringify(entry('pod/b')).slice(0, 40));
  expect(reopened()).toEqual([entry('pod/a')]);
});

test('one that cannot be erased whole is no reason to leave what comes after undone', () => {
  const ledger = Ledger.open(file, 'boot-1');
  ledger.note(entry('pod/a'), 'once');
  mkdirSync(`${file}.new`);
  expect(() => {
    ledger.erase();
  }).not.toThrow();
  expect([...ledger.entries()]).toEqual([]);
});

test('a file that is not one of ours is begun anew', () => {
  Ledger.open(file, 'boot-1').erase();
  appendFileSync(file, '\u0000garbage\n{"place": 1}\n');
  expect(reopened()).toEqual([]);
});

test('a file that cannot be read is not begun anew: what it says may be all that is known', () => {
  mkdirSync(file, { recursive: true });
  expect(() => Ledger.open(file, 'boot-1')).toThrow(/ledger, which .* \(EISDIR.*STATE_FOLDER/);
});

test('that of another boot, which cannot be written when it is opened, is not added to', () => {
  Ledger.open(file, 'boot-0').note(entry('pod/a'), 'once');
  // In the way of what becomes the file.
  mkdirSync(`${file}.new`);
  const ledger = Ledger.open(file, 'boot-1');
  expect(() => ledger.note(entry('pod/b'), 'once')).toThrow('EISDIR');
  expect([...ledger.entries()]).toEqual([]);
  rmdirSync(`${file}.new`);
  ledger.note(entry('pod/b'), 'once');
  expect(reopened()).toEqual([entry('pod/b')]);
});

test('removed while it is in use, it is whole again with the next word', () => {
  const ledger = Ledger.open(file, 'boot-1');
  ledger.note(entry('pod/a'), 'once');
  rmSync(join(folder, 'state'), { recursive: true });
  ledger.note(entry('pod/b'), 'once');
  expect(reopened()).toEqual([entry('pod/a'), entry('pod/b')]);
});

test('it does not grow for ever', () => {
  const ledger = Ledger.open(file, 'boot-1');
  for (let time = 0; time < 20_000; time += 1) ledger.note(entry('pod/a', (time % 50) + 1), 'once');
  expect(statSync(file).size).toBeLessThan(1_100_000);
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(12_000);
  expect(reopened()).toEqual([entry('pod/a', 50)]);
});

describe('a line is not believed', () => {
  const line = (change: object) => JSON.stringify({ ...entry('pod/b'), ...change });
  const holding = (found: unknown, ours: unknown = [30]) =>
    line({ memory: { timeSeconds: { found, ours } } });
  test.each([
    ['whose place is a bare uid, as an older version wrote', line({ place: 'b' })],
    ['whose place is no place', line({ place: '../../host' })],
    ['of the host that leads to a pod', line({ place: 'host' })],
    ['of a pod that leads nowhere', line({ group: undefined })],
    ['whose value is larger than any of the kernel’s', holding(2 ** 31)],
    ['whose value is smaller than any of the kernel’s', holding(-(2 ** 31) - 1)],
    ['that says we set what keepalive does not work with', holding(7200, [0])],
    ['whose value is no whole number', holding(0.5)],
    ['whose value is text', holding('7200')],
    ['that says we set nothing', holding(7200, [])],
    ['that says we set anything', holding(7200, [1, 2, 3])],
    ['with a value that is none of the three', line({ memory: { swappiness: { found: 1, ours: [2] } } })],
    ['with more than it should have', line({ path: '/etc/passwd' })],
    ['whose namespace is no namespace', line({ namespace: 'anything' })],
    ['that takes back what is no place', JSON.stringify({ place: 'b', gone: true })],
    ['that is no object', '7'],
  ])('%s; those around it are', (_sentence, text) => {
    Ledger.open(file, 'boot-1').note(entry('pod/a'), 'once');
    appendFileSync(file, `${text}\n${JSON.stringify(entry('pod/c'))}\n`);
    const ledger = Ledger.open(file, 'boot-1');
    expect([...ledger.entries()]).toEqual([entry('pod/a'), entry('pod/c')]);
    expect(ledger.ignored).toBe(1);
    // It is gone from the file, so that it is told of once.
    expect(Ledger.open(file, 'boot-1').ignored).toBe(0);
  });

  test('of an older version of this boot, which is told of; of another boot there is nothing to tell', () => {
    const older = (boot: string) => `{"ledger":1,"boot":"${boot}"}\n${JSON.stringify(entry('pod/a'))}\n`;
    Ledger.open(file, 'boot-1');
    writeFileSync(file, older('boot-1'));
    const ledger = Ledger.open(file, 'boot-1');
    expect([[...ledger.entries()], ledger.ignored]).toEqual([[], 1]);
    writeFileSync(file, older('boot-0'));
    expect(Ledger.open(file, 'boot-1').ignored).toBe(0);
  });
});

describe('what is remembered of a namespace', () => {
  test('goes on under another place, by its cookie', () => {
    const ledger = Ledger.open(file, 'boot-1');
    ledger.note(entry('pod/a'), 'once');
    expect(ledger.adopt('pod/b', 'cookie 8')).toBeUndefined();
    expect(ledger.adopt('pod/b', 'cookie 7')).toEqual(entry('pod/b'));
    expect(reopened()).toEqual([entry('pod/b')]);
  });

  test('goes on although that cannot be written, and the file still leads to it by the cookie', () => {
    const [state, elsewhere] = [join(folder, 'state'), join(folder, 'elsewhere')];
    const ledger = Ledger.open(file, 'boot-1');
    ledger.note(entry('pod/a'), 'once');
    renameSync(state, elsewhere);
    writeFileSync(state, 'no folder');
    expect(ledger.adopt('pod/b', 'cookie 7')).toEqual(entry('pod/b'));
    expect([...ledger.entries()]).toEqual([entry('pod/b')]);
    rmSync(state);
    renameSync(elsewhere, state);
    expect(Ledger.open(file, 'boot-1').adopt('pod/b', 'cookie 7')).toEqual(entry('pod/b'));
  });

  test('does not by its inode, whose number is given again', () => {
    const ledger = Ledger.open(file, 'boot-1');
    ledger.note({ ...entry('pod/a'), namespace: 'inode 7' }, 'once');
    expect(ledger.adopt('pod/b', 'inode 7')).toBeUndefined();
  });
});
