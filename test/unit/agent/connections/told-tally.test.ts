import { describe, expect, test } from '@jest/globals';

import { ToldTally } from '../../../../src/agent/connections/told-tally.ts';
import type { ToldConnection } from '../../../../src/kernel/connection-layout.ts';
import { placeOfPod } from '../../../../src/policy/place.ts';
import { behind } from '../../../support/builder.ts';

const place = placeOfPod('one');
const told = (rest: Partial<ToldConnection> = {}): ToldConnection => ({
  ...{
    network: 1n,
    group: 0n,
    established: true,
    loopback: false,
    keepalive: true,
    repaired: false,
    userTimeoutMs: 0,
    socket: 1,
    metMs: 0,
  },
  peer: { address: Buffer.from('00000000000000000000ffff0a070001', 'hex'), port: 443 },
  ...{ values: { timeSeconds: 30, intervalSeconds: 10, probes: 6 }, timerMs: 29_000 },
  ...rest,
});
const tally = (connections: readonly ToldConnection[], wanted = true) => {
  const target = { place, timeouts: [90], wanted: wanted ? behind(90) : undefined };
  const all = new ToldTally({ networks: new Map([[1n, target]]), groups: new Map() });
  all.add(connections);
  const { readings, loosened } = all.end();
  return { counts: readings[0]?.byTimeout[90], loosened };
};

describe('what the kernel tells of connections', () => {
  test.each<[string, Partial<ToldConnection>, object]>([
    ['that speak in time are protected', {}, { protected: 1 }],
    ['that data is on its way of are too', { timerMs: undefined }, { protected: 1 }],
    ['without keepalive are exposed', { keepalive: false, timerMs: undefined }, { exposed: 1 }],
    ['armed with more are exposed', { timerMs: 700_000 }, { exposed: 1 }],
    ['of the loopback are not counted', { loopback: true, keepalive: false }, { established: 0 }],
    ['half closed are not counted', { established: false }, { established: 0 }],
    ['of a network that nobody asks about are not counted', { network: 2n }, { established: 0 }],
    [
      'with ticks that are no whole second are rounded down, as programs set them',
      { values: { timeSeconds: 30.004, intervalSeconds: 10.3, probes: 6 } },
      { protected: 1 },
    ],
  ])('connections %s', (_what, rest, counts) => {
    expect(tally([told(rest)]).counts).toMatchObject(counts);
  });

  test('is that somebody loosened a connection, where values were ordered', () => {
    const loose = told({ keepalive: false, timerMs: undefined });
    expect(tally([told(), loose]).loosened).toEqual([place]);
    expect(tally([told()]).loosened).toEqual([]);
    expect(tally([loose], false).loosened).toEqual([]);
  });

  test('is of a half closed connection too: it is still waited for', () => {
    expect(tally([told({ established: false, keepalive: false, timerMs: undefined })]).loosened).toEqual([
      place,
    ]);
  });

  test('is told apart by the control group, in a network of several', () => {
    const target = (uid: string) => ({ place: placeOfPod(uid), timeouts: [90], wanted: behind(90) });
    const all = new ToldTally({
      networks: new Map([[1n, { ...target('of-the-network') }]]),
      groups: new Map([[7n, target('of-the-group')]]),
    });
    all.add([told(), told({ group: 7n }), told({ group: 7n }), told({ group: 8n })]);
    const counts = all.end().readings.map(({ place: at, byTimeout }) => [at, byTimeout[90]?.established]);
    expect(counts).toEqual([
      ['pod/of-the-network', 1],
      ['pod/of-the-group', 2],
    ]);
  });

  test('names the peer of what is exposed', () => {
    const { counts } = tally([told({ keepalive: false, timerMs: undefined })]);
    expect(counts?.worst).toEqual([
      { program: '', exposure: 'KeepaliveOff', peer: '10.7.0.1:443', count: 1 },
    ]);
  });
});

test('more connections than can be told apart are told of the place that has most of them', () => {
  const targetOf = (id: string) => ({ place: placeOfPod(id), timeouts: [90], wanted: behind(90) });
  const networks = new Map([
    [1n, targetOf('few')],
    [2n, targetOf('many')],
  ]);
  const leftOut = (most: number) => {
    const all = new ToldTally({ networks, groups: new Map() }, most);
    all.add([told(), told({ network: 2n }), told({ network: 2n })]);
    return all.end().readings.map((reading) => reading.leftOut);
  };
  expect(leftOut(3)).toEqual([{}, { TooManyOpen: 3 }]);
  expect(leftOut(4)).toEqual([{}, {}]);
});

describe('connections that could not be marked', () => {
  const targetOf = (id: string) => ({ place: placeOfPod(id), timeouts: [90], wanted: behind(90) });
  const leftOut = (network: bigint, group: bigint, agoMs = 0) => {
    const all = new ToldTally({
      networks: new Map([[1n, targetOf('of-the-network')]]),
      groups: new Map([[7n, targetOf('of-the-group')]]),
      unmarked: [{ network, group, atMs: Number(process.hrtime.bigint()) / 1e6 - agoMs }],
    });
    return all.end().readings.map((reading) => reading.leftOut);
  };

  test('are told of the place that they belong to', () => {
    expect(leftOut(1n, 0n)).toEqual([{ NoRoom: 1 }, {}]);
    expect(leftOut(1n, 7n)).toEqual([{}, { NoRoom: 1 }]);
  });

  test('are not where nobody asks about them, and no more where none was met for ten minutes', () => {
    expect([leftOut(2n, 0n), leftOut(1n, 8n)].flat()).toEqual([{}, {}, {}, {}]);
    expect(leftOut(1n, 0n, 590_000)).toEqual([{ NoRoom: 1 }, {}]);
    expect(leftOut(1n, 0n, 610_000)).toEqual([{}, {}]);
  });
});
