import type { ChildProcess } from 'node:child_process';

import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';

import type { Triple } from '../../src/api/triple.ts';
import { kernelDefaults } from '../../src/api/triple.ts';
import { onlyTold } from '../../src/kernel/connection-layout.ts';
import type { ConnectionProgram } from '../../src/kernel/connection-program.ts';
import { sweep } from '../../src/kernel/connection-program.ts';
import { receive, sendAll } from '../../src/kernel/syscall.ts';
import { workedOut } from '../../src/policy/worked-requirement.ts';
import { until } from '../cluster/wait.ts';
import { behind } from '../support/builder.ts';
import { unspreadOfUsual } from '../support/unspread.ts';
import { compiled } from './compiled.ts';
import type { Network } from './connection-ground.ts';
import { Ground, port, serverAddress } from './connection-ground.ts';
import { beginToConnect, closeHalf, connectWithData, optionsOf, setOptions } from './plain-socket.ts';

jest.setTimeout(60_000);
const values: Triple = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const armed = { keepalive: true, ...values };
const untouched = { keepalive: false, ...kernelDefaults };
const data = Buffer.from('a message');

let ground: Ground;
let program: ConnectionProgram;
beforeAll(async () => {
  ground = await Ground.start();
  program = await ground.open();
});
afterEach(async () => {
  ground.closeSockets();
  for (const cookie of program.ordered()) program.withdraw(cookie);
  await speak();
});
afterAll(() => ground.stop());

const order = (network: Network, seconds = 90) => program.order(network.cookie, workedOut(behind(seconds)));
const sweepOf = (network: Network) => network.inside(() => [...sweep(program.folder)].flat());
const unspreadSweepOf = (network: Network) =>
  sweepOf(network).map((told) => ({ ...told, values: unspreadOfUsual(told.values) }));
const unspreadOptionsOf = (fd: number) => unspreadOfUsual(optionsOf(fd));
const pair = (listener = ground.serve()) => {
  const client = ground.connect();
  return { client, server: ground.accept(listener) };
};

/** From now on the server's machine drops what comes, as if a cable were cut, and as no socket of either end can tell. */
const fallSilent = () =>
  ground.machine.run(ground.pods.server, 'ip', 'addr', 'flush', 'dev', 'cable', 'scope', 'global');
const speak = () =>
  ground.machine.run(ground.pods.server, ...['ip', 'addr', 'replace', `${serverAddress}/24`, 'dev', 'cable']);

interface Timer {
  readonly kind: string;
  readonly ms: number;
  /** How often it expired since something was heard. */
  readonly times: number;
}

/** The timer of the only connection in this state, as `ss` has it: `timer:(keepalive,29sec,0)`. */
async function timerOf(end: 'client' | 'server', state?: string): Promise<Timer | undefined> {
  const all = await ground.machine.connections(ground.pods[end], state);
  // What is left of earlier ones is less than a socket.
  const lines = all.filter((line) => !line.includes('timer:(timewait'));
  if (lines.length !== 1) throw new Error(`one connection is ${state ?? 'established'}, not ${lines.join()}`);
  const [, kind = '', expires = '', times] = /timer:\((\w+),([^,]+),(\d+)\)/.exec(lines[0] ?? '') ?? [];
  return kind === '' ? undefined : { kind, ms: asMs(expires), times: Number(times) };
}

const inMs: Readonly<Record<string, number>> = { min: 60_000, sec: 1000, ms: 1 };

/** From `1min29sec`, `29sec`, `200ms` or `1.5sec`. */
function asMs(expires: string): number {
  const parts = [...expires.matchAll(/([\d.]+)(min|sec|ms)/g)];
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (inMs[unit] ?? NaN), 0);
}

const isThere = (end: 'client' | 'server', state: string) =>
  until(state, async () => (await ground.machine.connections(ground.pods[end], state)).length > 0);
/** `ss` rounds to seconds. */
const keepaliveOf = (seconds: number) => ({ kind: 'keepalive', ms: between(seconds - 10, seconds) });
const between = (least: number, most: number): unknown => ({
  asymmetricMatch: (ms: number) => ms > least * 1000 && ms <= most * 1000,
});

const openedWhen = [
  ['before', undefined],
  ['while', keepaliveOf(30)],
] as const;

/** A connection of the client that no descriptor of the program leads to has its values, by a sweep or from the start. */
async function hasTheValues(
  [when, timerBeforeASweep]: (typeof openedWhen)[number],
  start: () => Promise<ChildProcess>,
): Promise<void> {
  ground.serve();
  if (when === 'while') order(ground.client);
  const child = await start();
  try {
    order(ground.client);
    expect(await timerOf('client')).toEqual(timerBeforeASweep && expect.objectContaining(timerBeforeASweep));
    expect(sweepOf(ground.client)).toMatchObject([{ repaired: when === 'before' }]);
    expect(unspreadSweepOf(ground.client)).toMatchObject([{ keepalive: true, values }]);
    expect(await timerOf('client')).toMatchObject(keepaliveOf(30));
  } finally {
    child.kill();
  }
  await until('it is gone', async () => (await ground.machine.connections(ground.pods.client)).length === 0);
}

describe('a connection that only a message between programs holds, and no descriptor', () => {
  test.each(openedWhen)('has the values, opened %s something is ordered', async (...when) => {
    const program = await compiled('peculiar', ground.machine.folder);
    const start = () =>
      ground.machine.program(ground.pods.client, [program, 'flight', serverAddress, String(port), '1']);
    await hasTheValues(when, start);
  });
});

describe('a connection that only an io_uring holds, and no descriptor', () => {
  let ring: string;
  beforeAll(async () => {
    ring = await compiled('ring', ground.machine.folder);
  });
  const start = (end: 'client' | 'server', what: 'connect' | 'accept') =>
    ground.machine.program(ground.pods[end], [ring, what, serverAddress, String(port)]);

  test.each(openedWhen)('has the values where it connects, opened %s something is ordered', (...when) =>
    hasTheValues(when, () => start('client', 'connect')),
  );

  test('has them where it accepts', async () => {
    order(ground.server);
    const child = await start('server', 'accept');
    try {
      ground.connect();
      await isThere('server', 'established');
      expect(await timerOf('server')).toMatchObject(keepaliveOf(30));
      expect(unspreadSweepOf(ground.server)).toMatchObject([{ keepalive: true, repaired: false, values }]);
    } finally {
      child.kill();
    }
  });
});

describe('data in flight', () => {
  test('is sent again as it would have been, and keepalive takes over once it has arrived', async () => {
    const { client, server } = pair();
    await fallSilent();
    sendAll(client, data);
    const before = await until('it was sent again', async () => {
      const timer = await timerOf('client');
      return timer !== undefined && timer.times > 1 && timer;
    });
    order(ground.client);
    expect(sweepOf(ground.client)).toMatchObject([{ repaired: true }]);
    const after = await timerOf('client');
    expect([before.kind, after?.kind]).toEqual(['on', 'on']);
    expect(isPutOff(before, after)).toBe(false);
    expect(unspreadOptionsOf(client)).toEqual(armed);
    // Both run, and ss shows the first.
    expect(sweepOf(ground.client)[0]?.timerMs).toEqual(between(0, 30));
    await speak();
    expect(receive(server, 100)).toEqual(data);
    await until('keepalive takes over', async () => (await timerOf('client'))?.kind === 'keepalive');
    expect(await timerOf('client')).toMatchObject(keepaliveOf(30));
  });

  test('that opens the connection (TCP Fast Open) arrives, and both ends have their values', async () => {
    await ground.machine.run(ground.pods.server, 'sysctl', '-qw', 'net.ipv4.tcp_fastopen=3');
    const listener = ground.serve();
    setOptions(listener, { fastOpen: 16 });
    order(ground.client);
    order(ground.server);
    const open = () => ground.client.inside(() => ground.keep(connectWithData(serverAddress, port, data)));
    // The first asks whether that is agreed to.
    for (const client of [open(), open()]) {
      const server = ground.accept(listener);
      expect(receive(server, 100)).toEqual(data);
      expect([client, server].map(unspreadOptionsOf)).toEqual([armed, armed]);
    }
    const counted = await ground.machine.run(ground.pods.server, 'cat', '/proc/net/netstat');
    expect(counterOf(counted, 'TCPFastOpenPassive')).toBe(1);
  });
});

/** It may have expired meanwhile, and then waits for longer. */
function isPutOff(before: Timer, after: Timer | undefined): boolean {
  if (after === undefined) return true;
  return after.times < before.times || (after.times === before.times && after.ms > before.ms);
}

/** A line of names, and below it a line of numbers. */
function counterOf(netstat: string, name: string): number {
  const [names = [], numbers = []] = netstat.split('\n').map((line) => line.split(' '));
  return Number(numbers[names.indexOf(name)]);
}

describe('a connection that is half closed', () => {
  const states = [
    ['client', 'close-wait'],
    ['server', 'fin-wait-2'],
  ] as const;
  const halve = async () => {
    const both = pair();
    closeHalf(both.server);
    for (const [end, state] of states) await isThere(end, state);
    return both;
  };

  test.each(states)('gets the values by a sweep where it is held: %s, in %s', async (end, state) => {
    const both = await halve();
    order(ground[end]);
    expect(await timerOf(end, state)).toBeUndefined();
    expect(sweepOf(ground[end])).toMatchObject([{ established: false, repaired: true }]);
    expect(unspreadOptionsOf(both[end])).toEqual(armed);
    expect(await timerOf(end, state)).toMatchObject(keepaliveOf(30));
  });

  test.each(states)('is probed on while it lasts: %s, in %s', async (end, state) => {
    order(ground.client, 2);
    order(ground.server, 2);
    await halve();
    await fallSilent();
    const probed = await until('a probe has had no answer', async () => {
      const timer = await timerOf(end, state);
      return timer !== undefined && timer.times > 0 && timer;
    });
    expect(probed.kind).toBe('keepalive');
  });

  test('keeps the timer that ends it where nobody holds it any more', async () => {
    const both = pair();
    // The most. The last minute of it is spent as less than a socket.
    setOptions(both.server, { lingerSeconds: 120 });
    ground.close(both.server);
    await isThere('server', 'fin-wait-2');
    order(ground.server);
    expect(sweepOf(ground.server)).toEqual([]);
    expect(await timerOf('server', 'fin-wait-2')).toMatchObject({
      kind: 'keepalive',
      ms: between(values.timeSeconds, 60),
    });
  });
});

describe('a listener', () => {
  test('is neither told nor changed, and what it accepts has the values', () => {
    const listener = ground.serve();
    order(ground.server);
    expect(sweepOf(ground.server)).toEqual([]);
    expect(optionsOf(listener)).toEqual(untouched);
    expect(unspreadOptionsOf(pair(listener).server)).toEqual(armed);
  });

  test.each([
    [
      'enough, which are kept',
      { timeSeconds: 20, intervalSeconds: 5, probes: 14 },
      { timeSeconds: 20, intervalSeconds: 5, probes: 14 },
    ],
    ['longer, which are not', { timeSeconds: 600, intervalSeconds: 60, probes: 6 }, values],
  ])('hands down values of its own: %s', (_what, own, has) => {
    const listener = ground.serve();
    setOptions(listener, { keepalive: 1, ...own });
    order(ground.server);
    expect(unspreadOptionsOf(pair(listener).server)).toEqual({ keepalive: true, ...has });
  });
});

describe('what is in the table beside connections', () => {
  test('is not told by a sweep: listeners, requests, what is being opened, and what only waits for its time', async () => {
    const listener = ground.serve();
    setOptions(listener, { deferSeconds: 60 });
    const closed = ground.connect();
    sendAll(closed, data);
    const accepted = ground.accept(listener);
    receive(accepted, 100);
    for (const fd of [closed, accepted]) ground.close(fd);
    // Accepted only once it says something, so there it stays a request.
    const client = ground.connect();
    await isThere('server', 'syn-recv');
    await isThere('client', 'time-wait');
    await fallSilent();
    const opening = ground.client.inside(() => ground.keep(beginToConnect(serverAddress, port)));
    await isThere('client', 'syn-sent');
    for (const network of [ground.client, ground.server]) order(network);
    expect(sweepOf(ground.server)).toEqual([]);
    expect(sweepOf(ground.client)).toMatchObject([{ established: true, repaired: true }]);
    expect([client, opening].map(unspreadOptionsOf)).toEqual([armed, untouched]);
    for (const [end, state] of [
      ['server', 'listening'],
      ['server', 'syn-recv'],
      ['client', 'time-wait'],
      ['client', 'syn-sent'],
    ] as const)
      await isThere(end, state);
  });

  test('gets the values once it is a connection: one that was being opened when they were ordered', async () => {
    ground.serve();
    await fallSilent();
    const opening = ground.client.inside(() => ground.keep(beginToConnect(serverAddress, port)));
    await isThere('client', 'syn-sent');
    order(ground.client);
    expect(optionsOf(opening)).toEqual(untouched);
    await speak();
    await isThere('client', 'established');
    expect(unspreadOptionsOf(opening)).toEqual(armed);
  });

  test('gets them once it is a connection: a request', async () => {
    const listener = ground.serve();
    setOptions(listener, { deferSeconds: 60 });
    const client = ground.connect();
    await isThere('server', 'syn-recv');
    program.order(ground.client.cookie, onlyTold);
    order(ground.server);
    sendAll(client, data);
    expect(unspreadOptionsOf(ground.accept(listener))).toEqual(armed);
    expect(optionsOf(client)).toEqual(untouched);
  });
});
