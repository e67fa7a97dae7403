import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import type { ConnectionCounts, SocketReading } from '../../src/policy/connection.ts';
import { until } from '../cluster/wait.ts';
import { behind } from '../support/builder.ts';
import type { Pod } from './machine.ts';
import { Machine } from './machine.ts';
import { script } from './script.ts';
import type { Scanned } from './scanner.ts';

// A machine and several programs for each: seconds where others work on it too.
jest.setTimeout(60_000);
const port = '7000';

let machine: Machine;
let server: Pod;
let client: Pod;
let scanner: ChildProcess;
beforeEach(async () => {
  machine = await Machine.start();
  [server, client] = [await machine.pod(), await machine.pod()];
  await machine.link(server, client);
  scanner = machine.host.spawn(script('scanner.ts'), { cwd: '/' });
});
afterEach(() => machine.stop());

const serve = (address = '::', ...more: string[]) =>
  machine.program(server, [...script('talker.ts'), 'serve', address, port, ...more]);
const connect = (count: number, manner: string, address = '10.7.0.1', ...more: string[]) =>
  machine.program(client, [...script('talker.ts'), 'connect', address, port, String(count), manner, ...more]);

interface Options {
  readonly pod?: Pod;
  readonly repair?: boolean;
  readonly every?: boolean;
  readonly timeouts?: readonly number[];
}
async function scan({
  pod = client,
  repair = false,
  every = true,
  timeouts = [90],
}: Options = {}): Promise<SocketReading> {
  const target = {
    place: pod.place,
    timeouts,
    everySocket: every,
    ...(repair ? { wanted: behind(Math.min(...timeouts)) } : {}),
  };
  const said = once(scanner.stdout ?? scanner, 'data') as Promise<[Buffer]>;
  scanner.stdin?.write(`${JSON.stringify({ targets: [target], hostPods: [] })}\n`);
  const [text] = await said;
  const [reading] = (JSON.parse(text.toString()) as Scanned).readings;
  if (reading === undefined) throw new Error('no reading');
  return reading;
}
const counts = async (options?: Options): Promise<Omit<ConnectionCounts, 'worst' | 'unknown'>> => {
  const { worst: _worst, unknown, ...numbers } = (await scan(options)).byTimeout[90] as ConnectionCounts;
  expect(unknown).toBe(0);
  return numbers;
};
/** Seconds until the keepalive timer of each connection of the pod; none for one without. */
const timers = async (pod = client, state = 'established') =>
  (await machine.connections(pod, state)).map((line) => {
    const [, text] = /timer:\(keepalive,([^,]+),/.exec(line) ?? [];
    return text === undefined ? undefined : secondsOf(text);
  });
/** As ss writes it: `29sec`, `119min`, `1min30sec`, `900ms`. */
const secondsOf = (text: string) =>
  [...text.matchAll(/([\d.]+)(min|sec|ms)/g)].reduce(
    (sum, [, value, unit]) => sum + Number(value) * (unit === 'min' ? 60 : unit === 'sec' ? 1 : 0.001),
    0,
  );

test('a number that went from one of the host, or of a pod, to another leads to no socket of that', async () => {
  await serve();
  await connect(2, 'silent');
  const child = machine.host.spawn([...script('stray.ts'), client.uid, client.uid, '-', server.uid], {
    cwd: '/',
  });
  const [told] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  expect(JSON.parse(told.toString())).toEqual([2, 0, 0]);
});

describe('connections are counted', () => {
  test('by whether they speak before the timeout, of both families', async () => {
    await serve();
    await connect(2, 'deaf');
    await connect(1, 'asks:20', 'fd07::1');
    await connect(1, 'asks');
    const { byTimeout } = await scan({ timeouts: [90, 8300] });
    // 20 s and 75 s between probes are too late for 90 s, an eighth late; 7200 s and 75 s are early enough for 8300.
    expect(byTimeout[90]).toMatchObject({ established: 4, protected: 0, exposed: 4 });
    expect(byTimeout[8300]).toMatchObject({ established: 4, protected: 2, exposed: 2 });
    expect(
      byTimeout[90]?.worst.map(({ exposure, count, peer }) => [exposure, count, peer.endsWith(':7000')]),
    ).toEqual([
      ['KeepaliveOff', 2, true],
      ['LongerValues', 2, true],
    ]);
  });

  test('but for those of the loopback, which nothing forgets', async () => {
    await serve();
    await machine.program(server, [...script('talker.ts'), 'connect', '127.0.0.1', port, '3', 'deaf']);
    await machine.program(server, [...script('talker.ts'), 'connect', '::1', port, '3', 'deaf']);
    expect(await counts({ pod: server })).toEqual({ established: 0, protected: 0, exposed: 0 });
  });

  test('once where several processes share them', async () => {
    await serve();
    await connect(3, 'deaf', '10.7.0.1', 'share');
    expect(await counts()).toEqual({ established: 3, protected: 0, exposed: 3 });
  });

  test('as exposed while their timer runs on as it was armed before the values changed', async () => {
    await serve();
    await connect(1, 'asks');
    for (const [name, value] of [
      ['time', 30],
      ['intvl', 10],
      ['probes', 6],
    ] as const)
      await machine.set(client.pid, name, value);
    const { byTimeout } = await scan();
    expect(byTimeout[90]?.worst).toMatchObject([{ exposure: 'ArmedLonger', count: 1 }]);
    await connect(1, 'asks');
    expect(await counts()).toEqual({ established: 2, protected: 1, exposed: 1 });
  });

  test('without a change to any of them where nobody asks for one', async () => {
    await serve();
    await connect(2, 'deaf');
    await scan();
    expect(await timers()).toEqual([undefined, undefined]);
  });
});

describe('keepalive is given', () => {
  test('to connections that are open, whose programs did not ask, of both families', async () => {
    await serve();
    await connect(2, 'deaf');
    await connect(1, 'asks', 'fd07::1');
    expect(await scan({ repair: true })).toMatchObject({ repaired: 3, failures: {} });
    for (const seconds of await timers()) {
      expect(seconds).toBeGreaterThan(20);
      expect(seconds).toBeLessThanOrEqual(30);
    }
    expect(await counts({ repair: true })).toEqual({ established: 3, protected: 3, exposed: 0 });
    expect((await scan({ repair: true })).repaired).toBe(0);
  });

  test.each([
    { name: 'probes', value: 200, timeout: 90, seconds: 30 },
    { name: 'time', value: 86_400, timeout: 432_000, seconds: 32_767 },
  ])(
    'to one whose network has more than a socket takes as its own: $name $value',
    async ({ name, value, timeout, seconds }) => {
      await serve();
      await machine.set(client.pid, name as 'probes' | 'time', value);
      await connect(1, 'deaf');
      const timeouts = [timeout];
      expect(await scan({ repair: true, timeouts })).toMatchObject({ repaired: 1, failures: {} });
      const [armed = Infinity] = await timers();
      expect(armed).toBeLessThanOrEqual(seconds);
      expect(await scan({ repair: true, timeouts })).toMatchObject({
        repaired: 0,
        byTimeout: { [timeout]: { protected: 1 } },
      });
    },
  );

  test('to what listens, so that what it accepts later has it', async () => {
    await serve();
    await scan({ pod: server, repair: true });
    await connect(1, 'deaf');
    expect(await timers()).toEqual([undefined]);
    const [seconds] = await timers(server);
    expect(seconds).toBeLessThanOrEqual(30);
  });

  test.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])(
    'to nothing that listens on the loopback, at %s',
    async (address) => {
      await serve(address);
      expect(await scan({ pod: server, repair: true })).toMatchObject({ repaired: 0, failures: {} });
      await machine.program(server, [...script('talker.ts'), 'connect', address, port, '1', 'deaf']);
      expect(await timers(server)).toEqual([undefined, undefined]);
    },
  );

  test('to connections that are half closed, on either side, which are not counted', async () => {
    await serve('::', 'half');
    await connect(2, 'half');
    for (const [pod, state] of [
      [client, 'fin-wait-2'],
      [server, 'close-wait'],
    ] as const) {
      await until(state, async () => (await machine.connections(pod, state)).length === 2);
      await scan({ pod, repair: true });
      for (const seconds of await timers(pod, state)) {
        expect(seconds).toBeGreaterThan(20);
        expect(seconds).toBeLessThanOrEqual(30);
      }
      expect(await counts({ pod })).toEqual({ established: 0, protected: 0, exposed: 0 });
      expect((await scan({ pod, repair: true })).repaired).toBe(0);
    }
  });

  test('only ever sooner: a program that speaks more often goes on to', async () => {
    await serve();
    await connect(1, 'asks:5');
    await scan({ repair: true });
    const [seconds] = await timers();
    expect(seconds).toBeLessThanOrEqual(5);
  });

  test('to what is new, without looking at the others again', async () => {
    await serve();
    const known = await connect(2, 'deaf');
    await scan({ repair: true });
    known.stdin?.write('deaf\n');
    await once(known.stdout ?? known, 'data');
    await connect(1, 'deaf');
    expect((await scan({ repair: true, every: false })).repaired).toBe(1);
    expect((await timers()).filter((seconds) => seconds === undefined)).toHaveLength(2);
    expect((await scan({ repair: true, every: true })).repaired).toBe(2);
    expect((await timers()).filter((seconds) => seconds === undefined)).toEqual([]);
  });

  test('to nobody of the host’s network who only stands in the pod’s group, as a monitor does', async () => {
    await serve();
    const outside = machine.host.spawn([...script('talker.ts'), 'serve', '127.0.0.1', '7001'], { cwd: '/' });
    await once(outside.stdout ?? outside, 'data');
    const { processes } = await import('../cluster/process.ts');
    const monitor = processes().find(
      ({ argv }) => argv.join(' ').endsWith('serve 127.0.0.1 7001') && argv[0] === process.execPath,
    );
    machine.join(monitor?.pid ?? 0, client.group);
    await connect(1, 'deaf');
    expect(await scan({ repair: true })).toMatchObject({ repaired: 1, failures: {} });
  });
});

test('a process that ends while it is looked at is no failure', async () => {
  await serve();
  for (let round = 0; round < 10; round += 1) {
    const program = await connect(20, 'deaf');
    const scanning = scan({ repair: true });
    program.kill('SIGKILL');
    expect((await scanning).failures).toEqual({});
  }
  await until('all connections are gone', async () => (await machine.connections(client)).length === 0);
  expect(await counts()).toEqual({ established: 0, protected: 0, exposed: 0 });
});
