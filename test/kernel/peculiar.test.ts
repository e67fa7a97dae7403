import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { mostDescriptors } from '../../src/agent/connections/socket-look.ts';
import { close, openInternetSocket, openPidfd, openThreadPidfd } from '../../src/kernel/syscall.ts';
import { TcpSocket } from '../../src/kernel/tcp-socket.ts';
import type { SocketReading } from '../../src/policy/connection.ts';
import { firstThreadEnded } from '../../src/policy/unreached.ts';
import { behind } from '../support/builder.ts';
import { compiled } from './compiled.ts';
import type { Pod } from './machine.ts';
import { Machine, numberInside } from './machine.ts';
import { Scanner } from './scanning.ts';
import { script } from './script.ts';

// A machine, a program that is compiled, and processes with very many descriptors.
jest.setTimeout(60_000);
const address = '10.7.0.1';
const port = '7000';
const talker = script('talker.ts');

let machine: Machine;
let server: Pod;
let client: Pod;
let peculiar: string;
beforeEach(async () => {
  machine = await Machine.start();
  peculiar = await compiled('peculiar', machine.folder);
  [server, client] = [await machine.pod(), await machine.pod()];
  await machine.link(server, client);
});
afterEach(() => machine.stop());

const serve = () => machine.program(server, [...talker, 'serve', address, port]);
const open = (kind: string, count: number, argument = '', pod = client): Promise<ChildProcess> =>
  machine.program(pod, [peculiar, kind, address, port, String(count), argument]);

async function look(
  scanner: Scanner,
  { pod = client, repair = true, everySocket = true } = {},
): Promise<SocketReading> {
  const target = { place: pod.place, timeouts: [90], everySocket, wanted: repair ? behind(90) : undefined };
  const [reading] = (await scanner.look([target])).readings;
  if (reading === undefined) throw new Error('no reading');
  return reading;
}
/** Of the connections of a pod, how many have a keepalive timer. */
const speaking = async (pod = client) =>
  (await machine.connections(pod)).filter((line) => line.includes('timer:(keepalive')).length;
const untilSaid = (program: ChildProcess) => once(program.stdout ?? program, 'data');

describe('a connection with a TCP_USER_TIMEOUT', () => {
  test('that would end it after fewer lost probes is told, and not made to speak', async () => {
    await serve();
    await open('timeout', 2, '25000');
    const reading = await look(new Scanner(machine));
    expect(reading.repaired).toBe(0);
    expect(reading.byTimeout[90]).toMatchObject({ established: 2, exposed: 2 });
    expect(reading.byTimeout[90]?.worst).toMatchObject([{ exposure: 'UserTimeout', count: 2 }]);
    expect(await speaking()).toBe(0);
  });

  test('that leaves room for as many probes as ours is given keepalive', async () => {
    await serve();
    await open('timeout', 2, '120000');
    const reading = await look(new Scanner(machine));
    expect(reading).toMatchObject({ repaired: 2, byTimeout: { 90: { protected: 2, worst: [] } } });
    expect(await speaking()).toBe(2);
  });

  test('that ends it at the first lost probe already is made to speak in time, and told to be fragile', async () => {
    await serve();
    await open('asks', 1, '25000');
    const reading = await look(new Scanner(machine));
    expect(reading).toMatchObject({ repaired: 1, byTimeout: { 90: { protected: 1 } } });
    expect(reading.byTimeout[90]?.worst).toMatchObject([{ exposure: 'UserTimeout', count: 1 }]);
  });
});

describe('a connection that the kernel does not find by the addresses of its program', () => {
  beforeEach(async () => {
    await serve();
    for (const [name, value] of [
      ['time', 30],
      ['intvl', 10],
      ['probes', 6],
    ] as const)
      await machine.set(client.pid, name, value);
  });

  test('since it is of another network namespace is unknown, and given keepalive', async () => {
    const pod = await machine.pod();
    await open('elsewhere', 1, numberInside(client.pid), pod);
    const scanner = new Scanner(machine);
    const counted = await look(scanner, { pod, repair: false });
    expect(counted).toMatchObject({ byTimeout: { 90: { established: 1, protected: 0, unknown: 1 } } });
    expect(await look(scanner, { pod })).toMatchObject({ repaired: 1 });
  });

  test('since a load balancer inside the kernel names another peer is unknown, and no more once it was given keepalive', async () => {
    const program = await open('balanced', 2, join(machine.folder, 'unified'));
    const scanner = new Scanner(machine);
    const counted = await look(scanner, { repair: false });
    expect(counted).toMatchObject({ byTimeout: { 90: { established: 2, protected: 0, unknown: 2 } } });
    expect(await look(scanner)).toMatchObject({ repaired: 2 });
    // From then on its options tell how the timer was armed.
    for (let again = 0; again < 2; again += 1)
      expect(await look(scanner)).toMatchObject({
        ...{ repaired: 0, byTimeout: { 90: { established: 2, protected: 2, unknown: 0 } } },
      });
    program.stdin?.end();
    await once(program, 'exit');
  });

  test('since it is bound to a device is looked for by that, and known', async () => {
    await open('device', 1, 'cable');
    const counted = await look(new Scanner(machine), { repair: false });
    expect(counted).toMatchObject({ byTimeout: { 90: { established: 1, protected: 1, unknown: 0 } } });
  });
});

/** Linux 5.6 and later, where it was built in and is switched on. */
function hasMptcp(): boolean {
  try {
    return readFileSync('/proc/sys/net/mptcp/enabled', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

(hasMptcp() ? describe : describe.skip)('connections of Multipath TCP', () => {
  test('are counted and given keepalive, as is what listens, and what that accepts', async () => {
    await open('serve', 0, '', server);
    const scanner = new Scanner(machine);
    expect(await look(scanner, { pod: server })).toMatchObject({ repaired: 1, leftOut: {} });
    await open('mptcp', 2);
    expect(await look(scanner)).toMatchObject({ repaired: 2, byTimeout: { 90: { protected: 2 } } });
    expect(await speaking()).toBe(2);
    const accepted = await look(scanner, { pod: server });
    expect(accepted).toMatchObject({ byTimeout: { 90: { established: 2, protected: 2 } } });
    expect(await speaking(server)).toBe(2);
  });

  test('are, too, where the peer speaks plain TCP', async () => {
    await serve();
    await open('mptcp', 1);
    expect(await look(new Scanner(machine))).toMatchObject({ byTimeout: { 90: { protected: 1 } } });
    expect(await speaking()).toBe(1);
  });
});

test('one socket that refuses keepalive does not keep the others of its process from having it', async () => {
  await serve();
  const program = await open('refused', 3, join(machine.folder, 'unified'));
  const scanner = new Scanner(machine);
  const reading = await look(scanner);
  expect(reading).toMatchObject({
    ...{ repaired: 2, failures: { EPERM: 1 } },
    byTimeout: { 90: { established: 3, protected: 2, exposed: 1 } },
  });
  expect(await speaking()).toBe(2);
  // It is asked again each time, and nobody else is.
  expect(await look(scanner, { everySocket: false })).toMatchObject({ repaired: 0, failures: { EPERM: 1 } });
  program.stdin?.end();
  await once(program, 'exit');
});

test('a socket whose descriptor was closed since it was listed is not taken for one that is no TCP', () => {
  const fd = openInternetSocket('datagram');
  const { ino } = fstatSync(fd);
  const pidfd = openPidfd(process.pid);
  try {
    expect(TcpSocket.take(pidfd, fd, ino)).toBe('other');
    // Its number was given to another one.
    expect(TcpSocket.take(pidfd, fd, ino + 1)).toBe('closed');
    close(fd);
    expect(TcpSocket.take(pidfd, fd, ino)).toBe('closed');
  } finally {
    close(pidfd);
  }
});

/** Linux 6.9. */
function opensThreads(): boolean {
  try {
    close(openThreadPidfd(process.pid));
    return true;
  } catch {
    return false;
  }
}

describe('a program whose first thread has ended while another goes on', () => {
  beforeEach(async () => {
    await serve();
    const program = await open('plain', 2);
    const said = untilSaid(program);
    program.stdin?.write('leave\n');
    await said;
  });

  test('has its connections repaired where the kernel opens threads, and is told of elsewhere', async () => {
    const reading = await look(new Scanner(machine));
    expect(reading).toMatchObject(
      opensThreads()
        ? { repaired: 2, failures: {}, byTimeout: { 90: { established: 2, protected: 2 } } }
        : { repaired: 0, failures: { [firstThreadEnded]: 1 } },
    );
    expect(await speaking()).toBe(reading.repaired);
  });

  test('is told of by a kernel that opens none', async () => {
    const reading = await look(new Scanner(machine, String(mostDescriptors), 'not opened'));
    expect(reading).toMatchObject({ repaired: 0, failures: { [firstThreadEnded]: 1 } });
    expect(await speaking()).toBe(0);
  });
});

describe('a pod with very many descriptors', () => {
  test('is looked at to its end, each socket once', async () => {
    await serve();
    await open('crowd', 2, '15000');
    const reading = await look(new Scanner(machine));
    expect(reading).toMatchObject({
      ...{ repaired: 2, leftOut: {}, byTimeout: { 90: { established: 2, protected: 2 } } },
    });
  });

  test('is looked at to a limit and told to be, and its neighbours are looked at', async () => {
    await serve();
    await open('crowd', 2, '1000');
    const scanner = new Scanner(machine, '500');
    const targets = [client, server].map(({ place }) => ({
      ...{ place, timeouts: [90], everySocket: true, wanted: behind(90) },
    }));
    const { readings } = await scanner.look(targets);
    expect(readings).toMatchObject([
      { leftOut: { TooMany: 10 } },
      { leftOut: {}, byTimeout: { 90: { established: 2, protected: 2 } } },
    ]);
  });
});

test('what a program closes ends at once, however often it is looked at', async () => {
  await serve();
  const program = await open('plain', 500);
  const scanner = new Scanner(machine);
  await look(scanner);
  const looking = look(scanner);
  program.stdin?.write('close\n');
  await untilSaid(program);
  await looking;
  const reading = await look(scanner, { pod: server });
  expect(reading.byTimeout[90]).toMatchObject({ established: 0 });
});
