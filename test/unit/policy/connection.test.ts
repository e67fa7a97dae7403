import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { kernelDefaults } from '../../../src/api/triple.ts';
import type { ConnectionView, SocketReading } from '../../../src/policy/connection.ts';
import { isFragile, judgeConnection, tighten } from '../../../src/policy/connection.ts';
import { connectionsOf } from '../../../src/policy/connection-report.ts';
import { worded } from '../../../src/policy/finding.ts';
import { isEnough } from '../../../src/policy/enough.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import type { Place } from '../../../src/policy/place.ts';
import { HOST, placeOfPod } from '../../../src/policy/place.ts';
import { reachesOf } from '../../../src/policy/reach.ts';
import { refusedUnder } from '../../../src/policy/unreached.ts';
import { selectOnNode } from '../../../src/policy/selection.ts';
import { scanPeriodSeconds, socketTargets } from '../../../src/policy/socket-target.ts';
import { heldValues } from '../../support/arbitrary.ts';
import { behind, namespace, nodePodOf, platform, team } from '../../support/builder.ts';

const values = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const asked = behind(90);
const view = (rest: Partial<ConnectionView> = {}): ConnectionView => ({
  ...{ loopback: false, keepalive: true, values, timerMs: 29_000, userTimeoutMs: 0 },
  ...rest,
});

describe('a connection', () => {
  test.each<[string, Partial<ConnectionView>, string]>([
    ['that speaks before the timeout is protected', {}, 'protected'],
    ['on which data is on its way is protected', { timerMs: 'none' }, 'protected'],
    ['whose program did not ask is exposed', { keepalive: false, timerMs: 'none' }, 'KeepaliveOff'],
    ['with longer values is exposed', { values: kernelDefaults }, 'LongerValues'],
    [
      'whose second probe may be too late is exposed',
      { values: { ...values, timeSeconds: 70 } },
      'LongerValues',
    ],
    [
      'with Go’s values is protected',
      { values: { timeSeconds: 15, intervalSeconds: 15, probes: 9 }, timerMs: 14_000 },
      'protected',
    ],
    ['of which nobody knows when it speaks is unknown', { timerMs: 'unknown' }, 'unknown'],
    [
      'that would be ended by its own timeout if it spoke is exposed for that',
      { keepalive: false, timerMs: 'none', userTimeoutMs: 30_000 },
      'UserTimeout',
    ],
    [
      'that is silent and whose own timeout leaves room for all probes only lacks keepalive',
      { keepalive: false, timerMs: 'none', userTimeoutMs: 90_000 },
      'KeepaliveOff',
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
    [
      'whose own values are enough is left alone',
      { values: { timeSeconds: 60, intervalSeconds: 1, probes: 10 }, timerMs: 59_000 },
      undefined,
    ],
    ['that is silent gets the values', { keepalive: false, values: kernelDefaults }, values],
    [
      'that is silent with smaller values of its own keeps those',
      { keepalive: false, values: { ...kernelDefaults, timeSeconds: 5 } },
      { ...values, timeSeconds: 5, probes: 9 },
    ],
    [
      'that is silent with values that are enough is given just those',
      { keepalive: false, values: { timeSeconds: 15, intervalSeconds: 15, probes: 9 } },
      { timeSeconds: 15, intervalSeconds: 15, probes: 9 },
    ],
    [
      'with one longer value keeps the others, and probes enough to be patient',
      { values: { timeSeconds: 5, intervalSeconds: 80, probes: 3 } },
      { timeSeconds: 5, intervalSeconds: 10, probes: 9 },
    ],
    ['whose timer was armed with more gets its values anew', { timerMs: 7_000_000 }, values],
    ['whose timer nobody knows too', { timerMs: 'unknown' }, values],
    [
      'that is silent and would be ended by its own timeout is left alone',
      { keepalive: false, values: kernelDefaults, userTimeoutMs: 30_000 },
      undefined,
    ],
    [
      'that is silent and has a timeout that leaves room for all probes gets the values',
      { keepalive: false, values: kernelDefaults, userTimeoutMs: 90_000 },
      values,
    ],
    [
      'that speaks too late and is ended by its own timeout at the first lost probe already loses nothing',
      { values: kernelDefaults, userTimeoutMs: 30_000 },
      values,
    ],
  ])('%s', (_sentence, rest, given) => {
    expect(tighten(view(rest), asked)).toEqual(given);
  });

  test('is protected once it was given what it needed, and then needs nothing more', () => {
    const any = fc.record({
      ...{ loopback: fc.constant(false), keepalive: fc.boolean(), userTimeoutMs: fc.constant(0) },
      values: heldValues.map(({ timeSeconds, intervalSeconds, probes }) => ({
        timeSeconds: Math.max(1, timeSeconds),
        intervalSeconds: Math.max(1, intervalSeconds),
        probes: Math.max(1, probes),
      })),
      timerMs: fc.oneof(
        fc.integer({ min: 0, max: 9_000_000 }),
        fc.constantFrom<('none' | 'unknown')[]>('none', 'unknown'),
      ),
    });
    fc.assert(
      fc.property(any, (before) => {
        const given = tighten(before, asked);
        const after: ConnectionView =
          given === undefined ? before : { ...before, keepalive: true, values: given, timerMs: 'none' };
        expect(isEnough(after.values, 90)).toBe(true);
        expect(judgeConnection(after, 90)).toBe('protected');
        expect(tighten(after, asked)).toBeUndefined();
      }),
    );
  });

  test.each<[string, Partial<ConnectionView>, boolean]>([
    ['without a timeout of its own is not', {}, false],
    ['whose timeout leaves room for all probes is not', { userTimeoutMs: 90_000 }, false],
    ['whose timeout ends it one probe before is', { userTimeoutMs: 80_000 }, true],
    ['whose timeout ends it at its first lost probe is', { userTimeoutMs: 1000 }, true],
    ['that does not speak is not', { keepalive: false, userTimeoutMs: 1000 }, false],
  ])('%s fragile', (_sentence, rest, fragile) => {
    expect(isFragile(view(rest), 90)).toBe(fragile);
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
  const own = placeOfPod('uid-of-mongo-0');
  test.each([
    ['nobody’s where no policy selects', [], []],
    ['a selected pod’s, to be repaired', [team(90)], [{ place: own, wanted: asked, timeouts: [90] }]],
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
      'for each timeout, as those ask that repair',
      [team(90), platform(60, { openConnections: 'Observe' })],
      [{ place: own, wanted: asked, timeouts: [60, 90] }],
    ],
    [
      'the host’s where a policy selects the node',
      [platform(90, { podSelector: undefined, ...nodes })],
      [{ place: HOST, wanted: asked, timeouts: [90] }],
    ],
  ] satisfies [string, EffectivePolicy[], object[]][])('%s', (_sentence, policies, targets) => {
    expect(socketTargets(select(policies))).toEqual(targets);
  });

  test('a pod of the host’s network is reached by whoever selects it, or the node', () => {
    expect(socketTargets(select([team(90)], [hostPod]))).toEqual([
      { place: placeOfPod('uid-of-host'), wanted: asked, timeouts: [90] },
    ]);
    const byNode = socketTargets(select([platform(90, { podSelector: undefined, ...nodes })], [hostPod]));
    expect(byNode).toContainEqual({ place: placeOfPod('uid-of-host'), wanted: asked, timeouts: [90] });
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
    ...{ established, exposed, unknown: 0, protected: established - exposed },
    worst:
      exposed === 0
        ? []
        : [{ program: 'mongod', exposure: 'KeepaliveOff' as const, peer: '192.0.2.1:27017', count: exposed }],
  });
  const reading = (place: Place, ...[established, exposed]: [number, number]): SocketReading => ({
    ...{ place, repaired: 0, failures: {}, leftOut: {}, byTimeout: { 90: counts(established, exposed) } },
  });
  const tell = (
    policies: EffectivePolicy[],
    readings: SocketReading[] | undefined,
    peers: 'Show' | 'Hide' = 'Hide',
  ) => {
    const selections = select(policies, [nodePodOf(), hostPod]);
    const [reach] = reachesOf(selections);
    if (reach === undefined) throw new Error('nothing is selected');
    const sockets = readings && new Map(readings.map((one) => [one.place, one]));
    const report = connectionsOf(reach, { node: 'n1', sockets, peers });
    return report && { ...report, findings: report.findings.map(worded) };
  };

  test('is added up over its pods', () => {
    const report = tell(
      [team(90)],
      [
        reading(placeOfPod('uid-of-mongo-0'), 5, 0),
        reading(placeOfPod('uid-of-host'), 2, 0),
        reading(HOST, 9, 0),
      ],
    );
    expect(report).toEqual({
      totals: { established: 7, protected: 7, exposed: 0, unknown: 0 },
      findings: [],
    });
  });

  test('includes all of the node’s own network where it selects the node', () => {
    const policy = platform(90, { podSelector: undefined, ...nodes });
    expect(
      tell([policy], [reading(placeOfPod('uid-of-host'), 2, 0), reading(HOST, 9, 0)])?.totals?.established,
    ).toBe(11);
  });

  test('is nothing before anybody has looked, and zero where there are none', () => {
    expect(tell([team(90)], undefined)).toBeUndefined();
    expect(tell([team(90)], [])?.totals).toEqual({ established: 0, protected: 0, exposed: 0, unknown: 0 });
  });

  test('names connections that their own timeout makes fragile, which is not to be exposed', () => {
    const worst = [{ program: 'app', exposure: 'UserTimeout' as const, peer: '192.0.2.1:1', count: 2 }];
    const fragile = {
      ...reading(placeOfPod('uid-of-mongo-0'), 2, 0),
      byTimeout: { 90: { ...counts(2, 0), worst } },
    };
    const told = tell([team(90)], [fragile]);
    expect(told?.totals).toMatchObject({ protected: 2, exposed: 0 });
    expect(told?.findings).toMatchObject([{ reason: 'UserTimeout', pod: 'mongo-0' }]);
    expect(told?.findings[0]?.message).toContain('2 connections of app: its program set a TCP_USER_TIMEOUT');
  });

  test('names the program, and its peer only where that is allowed', () => {
    const observe = team(90, { openConnections: 'Observe' });
    const hidden = tell([observe], [reading(placeOfPod('uid-of-mongo-0'), 5, 3)])?.findings;
    expect(hidden).toMatchObject([{ reason: 'ExposedConnections', pod: 'mongo-0', node: 'n1' }]);
    expect(hidden?.[0]?.message).toBe(
      '3 connections of mongod: its program did not ask for keepalive; mode Enforce with openConnections Repair would give it keepalive',
    );
    const shown = tell([observe], [reading(placeOfPod('uid-of-mongo-0'), 5, 3)], 'Show')?.findings;
    expect(shown?.[0]?.message).toContain('of mongod, one of them to 192.0.2.1:27017:');
  });

  test.each([
    ['ENOSYS', 'older than Linux 5.6'],
    ['EPERM', 'hostPID'],
    [
      refusedUnder(2),
      'cannot be looked at (EPERM, kernel.yama.ptrace_scope 2): that setting asks for SYS_PTRACE',
    ],
    [refusedUnder(3), 'no process may reach into another'],
  ])('says what to do where processes cannot be looked into: %s', (code, hint) => {
    const blind = { ...reading(placeOfPod('uid-of-mongo-0'), 0, 0), failures: { [code]: 2 } };
    const told = tell([team(90)], [blind]);
    // That nothing was seen is not that nothing is there.
    expect(told?.totals).toBeUndefined();
    const [finding] = told?.findings ?? [];
    expect(finding).toMatchObject({ reason: 'SocketsNotReachable', pod: 'mongo-0' });
    expect(finding?.message).toContain(hint);
  });

  test('is nothing of a pod whose sockets were left out, and why', () => {
    const left = { ...reading(placeOfPod('uid-of-mongo-0'), 0, 0), leftOut: { Hangs: 1 } };
    const told = tell([team(90)], [left]);
    expect(told?.totals).toBeUndefined();
    expect(told?.findings).toMatchObject([{ reason: 'SocketsNotReachable', pod: 'mongo-0' }]);
  });
});
