import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';

import type { Triple } from '../../src/api/triple.ts';
import { kernelDefaults } from '../../src/api/triple.ts';
import { onlyTold } from '../../src/kernel/connection-layout.ts';
import { ConnectionProgram, sweep } from '../../src/kernel/connection-program.ts';
import { openPinned } from '../../src/kernel/libbpf.ts';
import { close } from '../../src/kernel/syscall.ts';
import { tighten } from '../../src/policy/connection.ts';
import { meets } from '../../src/policy/enough.ts';
import { workedOut } from '../../src/policy/worked-requirement.ts';
import type { Requirement } from '../../src/policy/requirement.ts';
import { declaredValues, timeouts } from '../support/arbitrary.ts';
import { behind } from '../support/builder.ts';
import { unspread, unspreadOfUsual } from '../support/unspread.ts';
import type { ConnectOptions } from './connection-ground.ts';
import { Ground, port } from './connection-ground.ts';
import type { Options } from './plain-socket.ts';
import {
  acceptFrom,
  closeAll,
  connectTo,
  fillWithFilter,
  IPPROTO_MPTCP,
  listenAt,
  optionsOf,
  setOptions,
} from './plain-socket.ts';

jest.setTimeout(60_000);
const values: Triple = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const armed = { keepalive: true, ...values };
const untouched = { keepalive: false, ...kernelDefaults };

let ground: Ground;
let program: ConnectionProgram;
beforeAll(async () => {
  ground = await Ground.start();
  program = await ground.open();
});
afterEach(() => {
  ground.closeSockets();
  ground.client.hold(kernelDefaults);
  for (const cookie of program.ordered()) program.withdraw(cookie);
});
afterAll(() => ground.stop());

const serve = (host?: string, protocol?: number) => ground.serve(host, protocol);
const connect = (options?: ConnectOptions) => ground.connect(options);
const accept = (listener: number) => ground.accept(listener);
const order = (requirement: Requirement = behind(90)) =>
  program.order(ground.client.cookie, workedOut(requirement));
const sweepClient = () => ground.client.inside(() => [...sweep(program.folder)].flat());

/** What a program may have set before, as options of its socket. */
const own = fc.record(
  {
    keepalive: fc.constantFrom(0, 1),
    timeSeconds: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 9000 })),
    intervalSeconds: fc.integer({ min: 1, max: 100 }),
    probes: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant<number>(kernelDefaults.probes)),
    userTimeoutMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200_000 })),
  },
  { requiredKeys: [] },
);
/** What its network has for sockets that set nothing: more than they could set themselves too. */
const ofNetwork = fc.oneof(
  fc.constant<Triple>(kernelDefaults),
  fc.record({
    timeSeconds: fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 32_700, max: 400_000 })),
    intervalSeconds: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 32_700, max: 40_000 })),
    probes: fc.integer({ min: 1, max: 255 }),
  }),
);
/** Together, policies may declare what leaves no room behind the timeout of one of them. */
const asked = fc.tuple(timeouts, declaredValues).map(([seconds, declared]) => behind(seconds, declared));

const expected = (network: Triple, before: Options, requirement: Requirement) => {
  const { keepalive = 0, userTimeoutMs = 0, ...set } = before;
  const has = { ...network, ...set };
  const seen = {
    loopback: false,
    keepalive: keepalive === 1,
    values: has,
    timerMs: 'none' as const,
    userTimeoutMs,
  };
  const given = tighten(seen, requirement);
  return given === undefined ? { keepalive: seen.keepalive, ...has } : { keepalive: true, ...given };
};

describe('a connection that is opened while something is ordered for its network', () => {
  test.each([
    ['IPv4', '10.7.0.1'],
    ['IPv6', 'fd07::1'],
    ['IPv4 by an IPv6 socket', '::ffff:10.7.0.1'],
  ])('has the values from the start: %s', (_family, host) => {
    serve();
    order();
    expect(unspreadOfUsual(optionsOf(connect({ host })))).toEqual(armed);
  });

  test('has them on the side that accepted it too, and nothing where nothing is ordered', () => {
    const listener = serve();
    program.order(ground.server.cookie, workedOut(behind(90)));
    const client = connect();
    expect(unspreadOfUsual(optionsOf(accept(listener)))).toEqual(armed);
    expect(optionsOf(client)).toEqual(untouched);
  });

  test('is left alone once that was withdrawn, and while it is only told', () => {
    serve();
    order();
    program.withdraw(ground.client.cookie);
    expect(optionsOf(connect())).toEqual(untouched);
    program.order(ground.client.cookie, onlyTold);
    expect(optionsOf(connect())).toEqual(untouched);
  });

  test('gets what the library says, whatever it has and whatever is asked', () => {
    const listener = serve();
    fc.assert(
      fc.property(ofNetwork, own, asked, (network, before, requirement) => {
        ground.client.hold(network);
        order(requirement);
        const client = ground.client.inside(() => connectTo('10.7.0.1', port, { before }));
        const server = acceptFrom(listener);
        const has = optionsOf(client);
        closeAll([client, server]);
        const due = expected(network, before, requirement);
        expect(unspread(has, due, requirement)).toEqual(due);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a connection that was open before', () => {
  test('gets the values by a sweep of its network, and nothing by a second one', () => {
    serve();
    const client = connect();
    order();
    expect(sweepClient().map(({ repaired }) => repaired)).toEqual([true]);
    expect(unspreadOfUsual(optionsOf(client))).toEqual(armed);
    expect(sweepClient().map(({ repaired }) => repaired)).toEqual([false]);
  });

  test('gets what the library says, whatever it has and whatever is asked', () => {
    const listener = serve();
    fc.assert(
      fc.property(ofNetwork, own, asked, (network, before, requirement) => {
        ground.client.hold(network);
        program.withdraw(ground.client.cookie);
        const client = ground.client.inside(() => connectTo('10.7.0.1', port, { before }));
        const server = acceptFrom(listener);
        order(requirement);
        sweepClient();
        const has = optionsOf(client);
        closeAll([client, server]);
        const due = expected(network, before, requirement);
        expect(unspread(has, due, requirement)).toEqual(due);
      }),
      { numRuns: 200 },
    );
  });

  test('gets them again after its program loosened them', () => {
    serve();
    order();
    const client = connect();
    setOptions(client, { keepalive: 0, timeSeconds: 800 });
    sweepClient();
    expect(optionsOf(client)).toMatchObject({ keepalive: true });
    // Of an interval and probes that are given already, no less is given.
    expect(meets(optionsOf(client), behind(90))).toBe(true);
  });

  test('gets them without a descriptor that leads to it, in the accept queue', () => {
    const listener = serve();
    connect();
    program.order(ground.server.cookie, workedOut(behind(90)));
    expect(ground.server.inside(() => [...sweep(program.folder)].flat())).toHaveLength(1);
    expect(unspreadOfUsual(optionsOf(accept(listener)))).toEqual(armed);
  });

  test('is told as the kernel has it', () => {
    serve();
    connect({ before: { keepalive: 1, timeSeconds: 50, userTimeoutMs: 70_000 } });
    program.order(ground.client.cookie, onlyTold);
    const [told] = sweepClient();
    expect(told).toMatchObject({
      ...{
        network: ground.client.cookie,
        established: true,
        loopback: false,
        keepalive: true,
        repaired: false,
      },
      ...{ values: { ...kernelDefaults, timeSeconds: 50 }, userTimeoutMs: 70_000 },
    });
    expect(told?.peer.port).toBe(port);
    expect(told?.peer.address.toString('hex')).toBe('00000000000000000000ffff0a070001');
    expect(told?.timerMs).toBeGreaterThan(40_000);
    expect(told?.timerMs).toBeLessThanOrEqual(50_000);
  });
});

test('what ends at the loopback is left alone, opened before or after', () => {
  const local = ['127.0.0.1', '::1', '::ffff:127.0.0.1'];
  ground.client.inside(() => ground.keep(listenAt('::', port)));
  const before = connect({ host: '127.0.0.1' });
  order();
  const all = [before, ...local.map((host) => connect({ host }))];
  expect(sweepClient()).toEqual([]);
  expect(all.map(optionsOf)).toEqual(all.map(() => untouched));
});

test('a connection without room for a mark is told of its network, has its values, and is met by each sweep', async () => {
  // Where a network has none of its own, the kernel is one whose default is this.
  await ground.machine.run(ground.pods.server, 'sysctl', '-qew', 'net.core.optmem_max=20480');
  const listener = serve();
  fillWithFilter(listener);
  const network = ground.server.cookie;
  program.order(network, workedOut(behind(90)));
  const sweepServer = () => ground.server.inside(() => [...sweep(program.folder)].flat());
  const lastMs = () => program.unmarked().find((one) => one.network === network && one.group === 0n)?.atMs;
  const nowMs = Number(process.hrtime.bigint()) / 1e6;
  connect();
  const accepted = accept(listener);
  expect(unspreadOfUsual(optionsOf(accepted))).toEqual(armed);
  expect([...program.read()].flat().filter((told) => told.network === network)).toEqual([]);
  const bornMs = lastMs() ?? NaN;
  expect(bornMs).toBeGreaterThanOrEqual(nowMs);
  setOptions(accepted, { keepalive: 0 });
  expect(sweepServer()).toMatchObject([{ repaired: true }]);
  const sweptMs = lastMs() ?? NaN;
  expect(sweptMs).toBeGreaterThan(bornMs);
  ground.closeSockets();
  sweepServer();
  expect(lastMs()).toBe(sweptMs);
});

test.each(['before', 'while'])(
  'a connection of Multipath TCP gets the values where it sends, in its subflow, opened %s something is ordered',
  (when) => {
    serve('::', IPPROTO_MPTCP);
    if (when === 'while') order();
    connect({ protocol: IPPROTO_MPTCP });
    if (when === 'before') {
      order();
      expect(sweepClient()).toMatchObject([{ repaired: true }]);
    }
    program.order(ground.client.cookie, onlyTold);
    const told = sweepClient().map((one) => ({ ...one, values: unspreadOfUsual(one.values) }));
    expect(told).toMatchObject([{ keepalive: true, values }]);
  },
);

describe('what is pinned', () => {
  test('goes on when its process lets go of it, and is found by the next of the same build', async () => {
    const first = await ground.open();
    first.order(ground.client.cookie, workedOut(behind(90)));
    first.close();
    serve();
    expect(unspreadOfUsual(optionsOf(connect()))).toEqual(armed);
    const second = await ground.open();
    expect(second.ordered()).toEqual([ground.client.cookie]);
    expect(second.countless).toBe(program.countless);
    second.close();
  });

  test('of another build acts beside it, and ends when it is removed by the one that stays', async () => {
    const other = `${ground.objectFile}.other`;
    copyFileSync(ground.objectFile, other);
    // What follows the last section is nobody's.
    writeFileSync(other, 'another build', { flag: 'a' });
    const next = await ground.open({ objectFile: other });
    try {
      order(behind(240));
      next.order(ground.client.cookie, workedOut(behind(90)));
      serve();
      expect(optionsOf(connect()).timeSeconds).toBeLessThanOrEqual(30);
      program.removeOthers();
      expect(readdirSync(ground.pinFolder)).toHaveLength(1);
      const requirement = behind(240);
      const { values: given } = workedOut(requirement);
      expect(unspread(optionsOf(connect()), given, requirement)).toEqual({ keepalive: true, ...given });
    } finally {
      next.close();
    }
  });

  test('is all gone once it was removed, and acts no more, whoever still holds it', async () => {
    order();
    const held = openPinned(join(program.folder, 'born'));
    program.close();
    ConnectionProgram.removeAll(ground.pinFolder);
    expect(existsSync(ground.pinFolder)).toBe(false);
    serve();
    expect(optionsOf(connect()).keepalive).toBe(false);
    close(held);
    program = await ground.open();
  });
});

test('a machine that cannot have it says which step fails, and keeps nothing', async () => {
  const objectFile = `${ground.objectFile}.broken`;
  writeFileSync(objectFile, 'no object');
  await expect(ground.open({ objectFile })).rejects.toThrow("libbpf's 4001 at open");
  const groupFolder = '/proc';
  const elsewhere = ground.open({ groupFolder, pinFolder: `${ground.pinFolder}-none` });
  await expect(elsewhere).rejects.toThrow('EBADF at attach born');
  expect(existsSync(`${ground.pinFolder}-none`)).toBe(false);
});
