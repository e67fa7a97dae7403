import { describe, expect, test } from '@jest/globals';

import type { SocketReading } from '../../../src/policy/connection.ts';
import { connectionsOf } from '../../../src/policy/connection-report.ts';
import { worded } from '../../../src/policy/finding.ts';
import type { Place } from '../../../src/policy/place.ts';
import { HOST, placeOfPod } from '../../../src/policy/place.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { reachesOf } from '../../../src/policy/reach.ts';
import { refusedUnder } from '../../../src/policy/unreached.ts';
import { nodePodOf, platform, selectedBy, team } from '../../support/builder.ts';

const hostPod = nodePodOf({ name: 'host', spec: { hostNetwork: true } });
const nodes = { nodes: { selector: {} } };

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
    const selections = selectedBy(policies, [nodePodOf(), hostPod]);
    const [reach] = reachesOf(selections);
    if (reach === undefined) throw new Error('nothing is selected');
    const sockets = readings && new Map(readings.map((one) => [one.place, one]));
    const report = connectionsOf(reach, { node: 'n1', sockets, peers });
    return report && { ...report, findings: report.findings.map(worded) };
  };

  test('names no program where the kernel tells of connections, and does not know it', () => {
    const known = reading(placeOfPod('uid-of-mongo-0'), 5, 1);
    const [worst] = known.byTimeout[90]?.worst ?? [];
    const told = {
      ...known,
      byTimeout: { 90: { ...counts(5, 1), worst: worst === undefined ? [] : [{ ...worst, program: '' }] } },
    };
    const finding = tell([team(90)], [told])?.findings.find(({ reason }) => reason === 'ExposedConnections');
    expect(finding?.message).toMatch(/^one connection: its program did not ask for keepalive; /);
  });

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
      ...{ uncounted: 0, findings: [] },
    });
  });

  describe('says of how many places nobody has looked at connections', () => {
    const running = { containerStatuses: [{ state: { running: {} } }] };
    const started = nodePodOf({ name: 'new', status: running });
    const host = nodePodOf({ name: 'host', spec: { hostNetwork: true }, status: running });
    const uncounted = (
      policy: EffectivePolicy,
      readings: SocketReading[],
      more: { pods?: (typeof host)[]; sandboxed?: ReadonlySet<Place> } = {},
    ) => {
      const { pods = [nodePodOf(), started, host], sandboxed } = more;
      const [reach] = reachesOf(selectedBy([policy], pods));
      if (reach === undefined) throw new Error('nothing is selected');
      const sockets = new Map(readings.map((one) => [one.place, one]));
      return connectionsOf(reach, { node: 'n1', sockets, peers: 'Hide', ...(sandboxed && { sandboxed }) })
        ?.uncounted;
    };
    const ofNew = reading(placeOfPod('uid-of-new'), 5, 0);

    test('that run, and no other: one that has not started has none', () => {
      expect(uncounted(team(90), [])).toBe(2);
      expect(uncounted(team(90), [ofNew])).toBe(1);
      expect(uncounted(team(90), [ofNew, reading(placeOfPod('uid-of-host'), 2, 0)])).toBe(0);
    });

    test('the node itself among them, where it is selected', () => {
      const policy = platform(90, { podSelector: undefined, ...nodes });
      expect(uncounted(policy, [reading(placeOfPod('uid-of-host'), 2, 0)], { pods: [host] })).toBe(1);
    });

    test('as the policy asks now: what was counted by another timeout was not', () => {
      expect(uncounted(team(60), [ofNew], { pods: [started] })).toBe(1);
    });

    test('but not of those that have a kernel of their own', () => {
      const sandboxed = new Set([placeOfPod('uid-of-new')]);
      expect(uncounted(team(90), [], { pods: [started], sandboxed })).toBe(0);
    });

    test('nor of those of which somebody says why they cannot be looked at', () => {
      const left = { ...ofNew, leftOut: { Hangs: 1 } };
      expect(uncounted(team(90), [left], { pods: [started] })).toBe(0);
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
    expect(tell([team(90)], [])?.totals).toBeUndefined();
    const totals = { established: 0, protected: 0, exposed: 0, unknown: 0 };
    expect(tell([team(90)], [reading(placeOfPod('uid-of-mongo-0'), 0, 0)])?.totals).toEqual(totals);
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
