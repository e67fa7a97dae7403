import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { LedgerEntry } from '../../src/agent/ledger-line.ts';
import { Ledger } from '../../src/agent/ledger.ts';
import { NodeKernel } from '../../src/agent/node-kernel.ts';
import { Turn } from '../../src/agent/turn.ts';
import type { PodPlace } from '../../src/policy/place.ts';
import { HOST, placeOfPod } from '../../src/policy/place.ts';
import type { Reading } from '../../src/policy/reading.ts';
import { asking } from '../support/builder.ts';
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

describe('a folder that is full', () => {
  const kernel = { timeSeconds: 7200, intervalSeconds: 75, probes: 9 };
  const wanted = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
  const agentOf = (file: string) =>
    new NodeKernel({ procRoot: machine.procRoot, ledger: Ledger.open(file, 'boot') });
  const visit = (agent: NodeKernel, timeout?: number): Reading | undefined =>
    agent.visit([{ place: HOST, wanted: asking(timeout), anew: false, asked: true }], new Map())[0];
  /** To the last byte, what is left of the ledger's own page as well. */
  function fill(): void {
    expect(() => writeFileSync(`${folder}/log`, Buffer.alloc(4 * pageBytes))).toThrow('ENOSPC');
    const size = existsSync(`${folder}/ledger`) ? statSync(`${folder}/ledger`).size : pageBytes;
    writeFileSync(`${folder}/ledger`, '\n'.repeat(pageBytes - size), { flag: 'a' });
  }

  test('keeps no value from being put right or from going back, for which there is nothing to note; others wait', async () => {
    const agent = agentOf(`${folder}/ledger`);
    visit(agent, 90);
    fill();
    expect(visit(agent, 60)).toMatchObject({ state: 'failed', reason: 'ledger ENOSPC' });
    await machine.set(machine.host.id.pid, 'time', 7200);
    expect(visit(agent, 90)).toMatchObject({ state: 'read', now: wanted, repaired: 1 });
    expect(visit(agent)).toMatchObject({ state: 'read', now: kernel });
    expect(await machine.values()).toEqual(kernel);
    rmSync(`${folder}/log`);
    expect(visit(agent, 60)).toMatchObject({ state: 'read', found: kernel });
    agent.close();
  });

  test('keeps no agent from leaving every value as it was found', async () => {
    const agent = agentOf(`${folder}/ledger`);
    visit(agent, 90);
    fill();
    expect(agent.restoreAll()).toEqual({ back: [HOST], left: [] });
    expect(await machine.values()).toEqual(kernel);
    expect(readdirSync(folder)).toEqual(['log']);
    agent.close();
  });

  test('keeps no agent from taking its turn after another, nor from doing all that needs no note', async () => {
    const turn = new Turn(`${folder}/lock`, machine.procRoot);
    turn.take();
    const agent = agentOf(`${folder}/ledger`);
    visit(agent, 90);
    fill();
    agent.close();
    turn.release();
    const [next, waiting] = [new Turn(`${folder}/lock`, '/proc'), new Turn(`${folder}/lock`, '/proc')];
    expect(next.take()).toBeUndefined();
    expect(waiting.take()).toBe(`another agent, process ${process.pid}`);
    const after = agentOf(`${folder}/ledger`);
    await machine.set(machine.host.id.pid, 'time', 7200);
    after.visit(after.remembered());
    expect(await machine.values()).toEqual(wanted);
    expect(visit(after, 60)).toMatchObject({ state: 'failed', reason: 'ledger ENOSPC' });
    expect(after.restoreAll()).toEqual({ back: [HOST], left: [] });
    expect(await machine.values()).toEqual(kernel);
    after.close();
    next.release();
  });

  test('and in which no agent was before is for one at a time too, which changes nothing until there is room', async () => {
    fill();
    const [first, next] = [new Turn(`${folder}/lock`, '/proc'), new Turn(`${folder}/lock`, '/proc')];
    expect(first.take()).toBeUndefined();
    expect(next.take()).toBe('another agent');
    const agent = agentOf(`${folder}/ledger`);
    expect(visit(agent, 90)).toMatchObject({ state: 'failed', reason: 'ledger ENOSPC' });
    expect(await machine.values()).toEqual(kernel);
    rmSync(`${folder}/log`);
    expect(visit(agent, 90)).toMatchObject({ state: 'read', now: wanted });
    agent.close();
    const after = agentOf(`${folder}/ledger`);
    expect(visit(after)).toMatchObject({ state: 'read', now: kernel });
    after.close();
    first.release();
  });
});

test('a folder that may not be written lets no agent begin, which says where that is and what to do', async () => {
  await machine.host.execOrThrow(['mount', '-o', 'remount,ro', '/run/small'], { cwd: '/' });
  const file = `${folder}/lock`;
  expect(() => new Turn(file, '/proc').take()).toThrow(
    `${file}, which the agents of this node go by, cannot be used (EROFS: read-only file system, open '${file}'): make room there, or let ` +
      'STATE_FOLDER be a folder of the host that the agent may write to',
  );
});
