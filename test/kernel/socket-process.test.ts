import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { stateOf } from '../../src/kernel/process.ts';
import { tryRemove } from '../cluster/cgroups.ts';
import { processes, processesIn } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';
import { asking } from '../support/builder.ts';
import { Agent } from './agent.ts';
import { compiled } from './compiled.ts';
import type { Pod } from './machine.ts';
import { Machine } from './machine.ts';
import { script } from './script.ts';

const port = '7000';
/** Long enough for a busy machine, short enough for a test: the agent's own is five seconds. */
const patienceMs = 3000;
// What hangs is given up after that, and a rest comes before the next try: several times in one test.
jest.setTimeout(60_000);

let machine: Machine;
let server: Pod;
let client: Pod;
let neighbour: Pod;
let listener: ChildProcess;
let agent: Agent;
beforeEach(async () => {
  machine = await Machine.start();
  [server, client, neighbour] = [await machine.pod(), await machine.pod(), await machine.pod()];
  await machine.link(server, client);
  listener = await machine.program(server, [...script('talker.ts'), 'serve', '10.7.0.1', port]);
  await machine.program(server, [...script('talker.ts'), 'serve', '10.7.0.1', '7001']);
  agent = new Agent(machine, patienceMs);
});
afterEach(() => machine.stop());

async function stubborn(pod: Pod, count: number, to = port): Promise<ChildProcess> {
  const program = await compiled('peculiar', machine.folder);
  return machine.program(pod, [program, 'held', '10.7.0.1', to, String(count)]);
}
const deaf = (pod: Pod, count: number) =>
  machine.program(pod, [...script('talker.ts'), 'connect', '10.7.0.1', port, String(count), 'deaf']);
/** Of the connections of a pod, how many have a keepalive timer. */
const speaking = async (pod: Pod) =>
  (await machine.connections(pod)).filter((line) => line.includes('timer:(keepalive')).length;

test('an agent that was started less urgent than it makes this process has sockets looked at all the same', async () => {
  const launcher = ['nice', '-n', '19', 'setpriv', '--bounding-set=-sys_nice'];
  const idle = new Agent(machine, patienceMs, launcher);
  await deaf(client, 2);
  idle.look(client);
  const [reading] = await idle.readings(client, 1);
  expect(reading?.repaired).toBe(2);
});

describe('while a system call on a socket of a pod does not return', () => {
  test('values are held elsewhere, the sockets of other pods are repaired, and only that one is told unknown', async () => {
    const program = await stubborn(client, 3);
    await deaf(client, 2);
    agent.look(client, server);
    // Asked while the process that looks at sockets hangs.
    agent.tell({ visit: [{ place: neighbour.place, wanted: asking(90), anew: false, asked: true }] });
    await until(
      'the neighbour has its values',
      async () => (await machine.values(neighbour.pid)).probes === 6,
    );
    const [hung] = await agent.readings(client, 1);
    expect(hung).toMatchObject({
      leftOut: { Hangs: 1 },
      byTimeout: { 90: { established: 0, protected: 0 } },
    });
    expect(agent.said.findIndex(({ readings }) => readings !== undefined)).toBe(0);
    const [others] = await agent.readings(server, 1);
    expect(others).toMatchObject({ byTimeout: { 90: { established: 5, protected: 5, exposed: 0 } } });

    agent.look(client);
    const [, again] = await agent.readings(client, 2);
    // Two of its own program, and those of the other one.
    expect(again).toMatchObject({ leftOut: { Hangs: 1 }, byTimeout: { 90: { protected: 4, unknown: 1 } } });
    expect(await speaking(client)).toBe(4);
    expect(agent.abandoned).toBe(1);

    program.stdin?.write('let go\n');
    agent.look(client);
    await agent.readings(client, 3);
    await until('what hung has ended', () => {
      agent.look(neighbour);
      return agent.abandoned === 0;
    });
    // It is left alone as long as that program lives, which could do it again.
    expect(await speaking(client)).toBe(4);
    program.kill('SIGKILL');
    await once(program, 'exit');
    agent.look(client);
    const [, , , afterwards] = await agent.readings(client, 4);
    expect(afterwards).toMatchObject({ leftOut: {}, byTimeout: { 90: { protected: 2, unknown: 0 } } });
  });

  test('the agent ends when it is told to, and the next one has its turn', async () => {
    const program = await stubborn(client, 1);
    agent.look(client);
    await agent.readings(client, 1);
    expect(agent.abandoned).toBe(1);
    agent.look(client, server);
    await agent.readings(server, 1);
    agent.process.kill('SIGTERM');
    await once(agent.process, 'exit');
    agent = new Agent(machine, patienceMs);
    agent.tell({ visit: [{ place: neighbour.place, wanted: asking(90), anew: false, asked: true }] });
    await until('the next agent acts', () =>
      agent.said.some(({ readings }) => readings?.[0]?.state === 'read'),
    );
    // What the first one left behind counts for the next, which would else leave more and more of them.
    agent.look(neighbour);
    await until('it knows of it', () => agent.said.some(({ abandoned }) => abandoned === 1));
    program.kill('SIGKILL');
    await until('it has ended', () => {
      agent.look(neighbour);
      return agent.abandoned === 0;
    });
  });

  test('the agent ends although that call is under way at this moment', async () => {
    await stubborn(client, 1);
    agent.look(client);
    const visit = [{ place: neighbour.place, wanted: asking(90), anew: false, asked: true }];
    agent.tell({ visit });
    await until('it has begun', () => agent.said.some(({ readings }) => readings !== undefined));
    agent.process.kill('SIGTERM');
    await once(agent.process, 'exit');
    expect(agent.of(client)).toEqual([]);
  });

  test('the container of an agent that has ended can be removed, whatever it left behind', async () => {
    const group = join(machine.groups, 'agent');
    const inGroup = () => processesIn(`/${basename(machine.folder)}/agent`);
    const [program] = script('looker.ts');
    const looker = await until('the agent runs', () =>
      processes().find(({ argv }) => argv[0] === program && argv.includes(machine.ledgerFile)),
    );
    machine.join(looker.pid, 'agent');
    await stubborn(client, 1);
    agent.look(client);
    await agent.readings(client, 1);
    expect(agent.abandoned).toBe(1);
    await until('one that was given up is in it no more', () => inGroup().length === 1);
    // Of the next one it does not know yet that it hangs.
    await stubborn(client, 1, '7001');
    agent.look(client);
    await until('the next one hangs', () => inGroup().some(({ pid }) => stateOf('/proc', pid) === 'D'));
    agent.process.kill('SIGTERM');
    await once(agent.process, 'exit');
    await until('its control group is empty', () => tryRemove(group), { timeoutMs: 10_000 });
  });

  test('what its program closes is closed: its peers see the end of all other connections', async () => {
    const program = await stubborn(client, 9);
    agent.look(client);
    await agent.readings(client, 1);
    // The duplicate of the one that hangs is still held by what was given up.
    program.stdin?.write('close\n');
    await once(program.stdout ?? program, 'data');
    await until('the peer sees one connection', async () => (await machine.connections(server)).length === 1);
    // Its epoll hears nothing of them either, whatever happens at their other ends.
    listener.kill();
    await until('those are gone', async () => (await machine.connections(server)).length === 0);
    program.stdin?.write('events\n');
    // It may come in pieces.
    let said = '';
    while (!said.endsWith('done\n')) {
      const [piece] = (await once(program.stdout ?? program, 'data')) as [Buffer];
      said += String(piece);
    }
    expect(said).toBe('events 0\ndone\n');
  });

  test('a pod in which it happens again is left alone as a whole, and its neighbours are not', async () => {
    await stubborn(client, 1);
    await stubborn(client, 1, '7001');
    agent.look(client);
    await agent.readings(client, 1);
    agent.look(client);
    await agent.readings(client, 2);
    agent.look(client, server);
    const [, , shut] = await agent.readings(client, 3);
    expect(shut).toMatchObject({ leftOut: { PodHangs: 2 }, byTimeout: { 90: { established: 0 } } });
    const [reading] = await agent.readings(server, 1);
    expect(reading).toMatchObject({ leftOut: {}, byTimeout: { 90: { established: 2 } } });
    expect(agent.abandoned).toBe(2);
  });
});
