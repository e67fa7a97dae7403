import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { kernelDefaults } from '../../../src/api/keepalive.ts';
import type { ConnectionView, SocketReading } from '../../../src/policy/connection.ts';
import { judgeConnection, tighten } from '../../../src/policy/connection.ts';
import { connectionsOf } from '../../../src/policy/connection-report.ts';
import { staysUnder } from '../../../src/policy/derive.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { HOST } from '../../../src/policy/reading.ts';
import { selectOnNode } from '../../../src/policy/selection.ts';
import { scanPeriodSeconds, socketTargets } from '../../../src/policy/socket-target.ts';
import { namespace, nodePodOf, platform, team } from '../../support/builder.ts';

const wanted = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const view = (rest: Partial<ConnectionView> = {}): ConnectionView => ({
  ...{ loopback: false, keepalive: true, values: wanted, timerMs: 29_000 },
  ...rest,
});

describe('a connection', () => {
  test.each<[string, Partial<ConnectionView>, string]>([
    ['that speaks before the timeout is protected', {}, 'protected'],
    ['on which data is on its way is protected', { timerMs: undefined }, 'protected'],
    ['whose program did not ask is exposed', { keepalive: false, timerMs: undefined }, 'KeepaliveOff'],
    ['with longer values is exposed', { values: kernelDefaults }, 'LongerValues'],
    [
      'whose last probe falls on the timeout is exposed',
      { values: { ...wanted, timeSeconds: 40 } },
      'LongerValues',
    ],
    ['whose timer was armed with more is exposed', { timerMs: 7_000_000 }, 'ArmedLonger'],
    ['whose timer was armed this moment is protected', { timerMs: 30_900 }, 'protected'],
    ['of the loopback is exempt, whatever it does', { loopback: true, keepalive: false }, 'exempt'],
  ])('%s', (_sentence, rest, judgement) => {
    expect(judgeConnection(view(rest), 90)).toBe(judgement);
  });

  test.each<[string, Partial<ConnectionView>, object | undefined]>([
    ['that is right is left alone', {}, undefined],
    [
      'that speaks sooner is left alone',
      { values: { timeSeconds: 5, intervalSeconds: 1, probes: 3 }, timerMs: 4000 },
      undefined,
    ],
    ['that is silent gets the values', { keepalive: false, values: kernelDefaults }, wanted],
    [
      'that is silent with smaller values of its own keeps those',
      { keepalive: false, values: { ...kernelDefaults, timeSeconds: 5 } },
      { ...wanted, timeSeconds: 5 },
    ],
    [
      'with one longer value keeps the others',
      { values: { timeSeconds: 5, intervalSeconds: 75, probes: 3 } },
      { timeSeconds: 5, intervalSeconds: 10, probes: 3 },
    ],
    ['whose timer was armed with more gets its values anew', { timerMs: 7_000_000 }, wanted],
  ])('%s', (_sentence, rest, given) => {
    expect(tighten(view(rest), wanted)).toEqual(given);
  });

  test('is protected once it was given what it needed, and then needs nothing more', () => {
    const values = fc.record({
      timeSeconds: fc.integer({ min: 1, max: 9000 }),
      intervalSeconds: fc.integer({ min: 1, max: 100 }),
      probes: fc.integer({ min: 1, max: 20 }),
    });
    const any = fc.record({
      ...{ loopback: fc.constant(false), keepalive: fc.boolean(), values },
      timerMs: fc.option(fc.integer({ min: 0, max: 9_000_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(any, (before) => {
        const given = tighten(before, wanted);
        const after =
          given === undefined ? before : { ...before, keepalive: true, values: given, timerMs: undefined };
        expect(staysUnder(after.values, 90)).toBe(true);
        expect(judgeConnection(after, 90)).toBe('protected');
        expect(tighten(after, wanted)).toBeUndefined();
        for (const key of ['timeSeconds', 'intervalSeconds', 'probes'] as const)
          expect(after.values[key]).toBeLessThanOrEqual(before.values[key]);
      }),
    );
  });
});

const select = (policies: readonly EffectivePolicy[], pods = [nodePodOf()]) =>
  selectOnNode({
    ...{
      node: { name: 'n1', labels: {} },
      pods,
      namespaces: new Map([['db', namespace()]]),
      runtimeClasses: new Map(),
    },
    policies: policies.map((policy) => ({
      ...{ kind: policy.kind, namespace: policy.namespace, name: policy.name },
      ...{ uid: 'u1', generation: 1, policy, problems: undefined, status: {} },
    })),
  });
const hostPod = nodePodOf({ name: 'host', spec: { hostNetwork: true } });
const nodes = { nodes: { selector: {} } };

describe('whose sockets are looked at', () => {
  const own = 'uid-of-mongo-0';
  test.each([
    ['nobody’s where no policy selects', [], []],
    ['a selected pod’s, to be repaired', [team(90)], [{ place: own, wanted, timeouts: [90] }]],
    [
      'one that is only observed',
      [team(90, { openConnections: 'Observe' })],
      [{ place: own, wanted: undefined, timeouts: [90] }],
    ],
    [
      'one that is only audited',
      [team(90, { mode: 'Audit' })],
      [{ place: own, wanted: undefined, timeouts: [90] }],
    ],
    [
      'for each timeout, by the strictest that repairs',
      [team(90), platform(60, { openConnections: 'Observe' })],
      [{ place: own, wanted, timeouts: [60, 90] }],
    ],
    [
      'the host’s where a policy selects the node',
      [platform(90, { podSelector: undefined, ...nodes })],
      [{ place: HOST, wanted, timeouts: [90] }],
    ],
  ] satisfies [string, EffectivePolicy[], object[]][])('%s', (_sentence, policies, targets) => {
    expect(socketTargets(select(policies))).toEqual(targets);
  });

  test('a pod of the host’s network is reached by whoever selects it, or the node', () => {
    expect(socketTargets(select([team(90)], [hostPod]))).toEqual([
      { place: 'uid-of-host', wanted, timeouts: [90] },
    ]);
    const byNode = socketTargets(select([platform(90, { podSelector: undefined, ...nodes })], [hostPod]));
    expect(byNode).toContainEqual({ place: 'uid-of-host', wanted, timeouts: [90] });
  });

  test('one that asks to be left alone is only counted, and one with a kernel of its own is not looked at', () => {
    const skipped = nodePodOf({ labels: { 'keepalive.dev/skip': 'true' } });
    expect(socketTargets(select([team(90)], [skipped]))).toEqual([
      { place: own, wanted: undefined, timeouts: [90] },
    ]);
    const sandboxed = { ...nodePodOf(), runtimeClass: 'kata' };
    expect(socketTargets(select([team(90)], [sandboxed]))).toEqual([]);
  });

  test.each([
    [4, 1],
    [18, 3],
    [90, 15],
    [350, 30],
    [86_400, 30],
  ])('behind a hop of %i s new ones are looked for every %i s', (seconds, period) => {
    expect(scanPeriodSeconds(socketTargets(select([team(seconds)])))).toBe(period);
  });

  test('where all are only observed, now and then; where there is nobody, never', () => {
    expect(scanPeriodSeconds(socketTargets(select([team(4, { mode: 'Audit' })])))).toBe(30);
    expect(scanPeriodSeconds([])).toBeUndefined();
  });
});

describe('what a policy is told of connections', () => {
  const counts = (established: number, exposed: number) => ({
    ...{ established, exposed, protected: established - exposed },
    worst:
      exposed === 0
        ? []
        : [{ program: 'mongod', exposure: 'KeepaliveOff' as const, peer: '192.0.2.1:27017', count: exposed }],
  });
  const reading = (place: string, ...[established, exposed]: [number, number]): SocketReading => ({
    ...{ place, repaired: 0, failures: {}, byTimeout: { 90: counts(established, exposed) } },
  });
  const tell = (
    policies: EffectivePolicy[],
    readings: SocketReading[] | undefined,
    peers: 'Show' | 'Hide' = 'Hide',
  ) => {
    const selections = select(policies, [nodePodOf(), hostPod]);
    const [selecting] = [...selections.pods.flatMap(({ by }) => by), ...selections.host.by];
    if (selecting === undefined) throw new Error('nothing is selected');
    const sockets = readings && new Map(readings.map((one) => [one.place, one]));
    return connectionsOf(selecting, { node: 'n1', selections, sockets, peers });
  };

  test('is added up over its pods', () => {
    const report = tell(
      [team(90)],
      [reading('uid-of-mongo-0', 5, 0), reading('uid-of-host', 2, 0), reading(HOST, 9, 0)],
    );
    expect(report).toEqual({ totals: { established: 7, protected: 7, exposed: 0 }, findings: [] });
  });

  test('includes all of the node’s own network where it selects the node', () => {
    const policy = platform(90, { podSelector: undefined, ...nodes });
    expect(tell([policy], [reading('uid-of-host', 2, 0), reading(HOST, 9, 0)])?.totals?.established).toBe(11);
  });

  test('is nothing before anybody has looked, and zero where there are none', () => {
    expect(tell([team(90)], undefined)).toBeUndefined();
    expect(tell([team(90)], [])?.totals).toEqual({ established: 0, protected: 0, exposed: 0 });
  });

  test('names the program, and its peer only where that is allowed', () => {
    const observe = team(90, { openConnections: 'Observe' });
    const hidden = tell([observe], [reading('uid-of-mongo-0', 5, 3)])?.findings;
    expect(hidden).toMatchObject([{ reason: 'ExposedConnections', pod: 'mongo-0', node: 'n1' }]);
    expect(hidden?.[0]?.message).toBe(
      '3 connections of mongod: its program did not ask for keepalive; mode Enforce with openConnections Repair would give it keepalive',
    );
    const shown = tell([observe], [reading('uid-of-mongo-0', 5, 3)], 'Show')?.findings;
    expect(shown?.[0]?.message).toContain('of mongod, one of them to 192.0.2.1:27017:');
  });

  test.each([
    ['ENOSYS', 'older than Linux 5.6'],
    ['EPERM', 'hostPID'],
  ])('says what to do where processes cannot be looked into: %s', (code, hint) => {
    const blind = { ...reading('uid-of-mongo-0', 0, 0), failures: { [code]: 2 } };
    const told = tell([team(90)], [blind]);
    // That nothing was seen is not that nothing is there.
    expect(told?.totals).toBeUndefined();
    const [finding] = told?.findings ?? [];
    expect(finding).toMatchObject({ reason: 'SocketsNotReachable', pod: 'mongo-0' });
    expect(finding?.message).toContain(hint);
  });
});
