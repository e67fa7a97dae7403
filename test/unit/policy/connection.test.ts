import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { kernelDefaults } from '../../../src/api/triple.ts';
import type { ConnectionView } from '../../../src/policy/connection.ts';
import { isFragile, judgeConnection, tighten } from '../../../src/policy/connection.ts';
import { isEnough } from '../../../src/policy/enough.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { HOST, placeOfPod } from '../../../src/policy/place.ts';
import {
  heldPlaces,
  heldTargets,
  scanPeriodSeconds,
  socketTargets,
} from '../../../src/policy/socket-target.ts';
import { heldValues } from '../../support/arbitrary.ts';
import type { PodSketch } from '../../support/builder.ts';
import { behind, nodePodOf, platform, selectedBy, team } from '../../support/builder.ts';

const values = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const asked = behind(90);
const leftAlone = (sketch: PodSketch = {}) =>
  nodePodOf({ ...sketch, labels: { 'keepalive.dev/skip': 'true' } });
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
    [
      'that waits for the answer to a probe, with an interval above its time, is protected',
      { values: { timeSeconds: 10, intervalSeconds: 60, probes: 5 }, timerMs: 59_900 },
      'protected',
    ],
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
      'that is silent in a network with more probes than a socket takes gets as many as it takes',
      { keepalive: false, values: { ...kernelDefaults, probes: 200 } },
      { ...values, probes: 127 },
    ],
    [
      'with one longer value keeps the others, and probes enough to be patient',
      { values: { timeSeconds: 5, intervalSeconds: 80, probes: 3 } },
      { timeSeconds: 5, intervalSeconds: 10, probes: 9 },
    ],
    ['whose timer was armed with more gets its values anew', { timerMs: 7_000_000 }, values],
    ['whose timer nobody knows too', { timerMs: 'unknown' }, values],
    [
      'that waits for the answer to a probe is not made to send another at once',
      { values: { timeSeconds: 10, intervalSeconds: 60, probes: 5 }, timerMs: 59_900 },
      undefined,
    ],
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

  test('is given no more seconds than a socket takes where its network has more, which is enough there', () => {
    const silent = (timeSeconds: number, intervalSeconds: number) =>
      view({ keepalive: false, timerMs: 'none', values: { timeSeconds, intervalSeconds, probes: 9 } });
    const given = (timeSeconds: number, intervalSeconds: number) => ({
      ...{ timeSeconds, intervalSeconds, probes: 9 },
    });
    expect(tighten(silent(32_767, 32_767), behind(432_000))).toEqual(given(32_767, 32_767));
    expect(tighten(silent(32_768, 32_768), behind(432_000))).toEqual(given(32_767, 32_767));
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

const hostPod = nodePodOf({ name: 'host', spec: { hostNetwork: true } });
const nodes = { nodes: { selector: {} } };

describe('whose sockets are looked at', () => {
  const own = placeOfPod('uid-of-mongo-0');
  test.each([
    ['nobody’s where no policy selects', [], []],
    [
      'a selected pod’s, to be repaired',
      [team(90)],
      [{ namespace: 'db', place: own, wanted: asked, timeouts: [90] }],
    ],
    [
      'one that is only observed',
      [team(90, { openConnections: 'Observe' })],
      [{ namespace: 'db', place: own, wanted: undefined, timeouts: [90] }],
    ],
    [
      'one that is only audited',
      [team(90, { mode: 'Audit' })],
      [{ namespace: 'db', place: own, wanted: undefined, timeouts: [90] }],
    ],
    [
      'for each timeout, as those ask that repair',
      [team(90), platform(60, { openConnections: 'Observe' })],
      [{ namespace: 'db', place: own, wanted: asked, timeouts: [60, 90] }],
    ],
    [
      'the host’s where a policy selects the node',
      [platform(90, { podSelector: undefined, ...nodes })],
      [{ place: HOST, wanted: asked, timeouts: [90] }],
    ],
  ] satisfies [string, EffectivePolicy[], object[]][])('%s', (_sentence, policies, targets) => {
    expect(socketTargets(selectedBy(policies))).toEqual(targets);
  });

  test('a pod of the host’s network is reached by whoever selects it, or the node', () => {
    expect(socketTargets(selectedBy([team(90)], [hostPod]))).toEqual([
      { namespace: 'db', place: placeOfPod('uid-of-host'), wanted: asked, timeouts: [90] },
    ]);
    const byNode = socketTargets(selectedBy([platform(90, { podSelector: undefined, ...nodes })], [hostPod]));
    expect(byNode).toContainEqual({
      namespace: 'db',
      place: placeOfPod('uid-of-host'),
      wanted: asked,
      timeouts: [90],
    });
  });

  test('one that asks to be left alone is only counted, and one with a kernel of its own is not looked at', () => {
    expect(socketTargets(selectedBy([team(90)], [leftAlone()]))).toEqual([
      { namespace: 'db', place: own, wanted: undefined, timeouts: [90] },
    ]);
    expect(socketTargets(selectedBy([team(90)]), new Set([own]))).toEqual([]);
  });

  describe('of whom nobody can tell all that is asked', () => {
    const before = socketTargets(selectedBy([team(90)]));
    const follow = (policies: EffectivePolicy[], unread: EffectivePolicy[], last = before) => {
      const selections = selectedBy(policies, undefined, unread);
      return heldTargets(selections, socketTargets(selections), last);
    };

    test('is asked what it was before', () => {
      expect(follow([], [team(90)])).toEqual(before);
      expect(heldPlaces(selectedBy([], undefined, [team(90)]))).toEqual(new Set([own]));
    });

    test('is asked what others ask besides', () => {
      const asks = { namespace: 'db', place: own, wanted: behind(60), timeouts: [60, 90] };
      expect(follow([platform(60)], [team(90)])).toEqual([asks]);
    });

    test('is asked what is asked now as soon as that can be told', () => {
      const longer = follow([team(350)], [], follow([], [team(90)]));
      expect(longer).toEqual([{ namespace: 'db', place: own, wanted: behind(350), timeouts: [350] }]);
      expect(follow([], [])).toEqual([]);
      expect(heldPlaces(selectedBy([team(90)])).size).toBe(0);
    });

    test('is asked nothing any more once it asks to be left alone', () => {
      const selections = selectedBy([], [leftAlone()], [team(90)]);
      expect(heldPlaces(selections).size).toBe(0);
      expect(heldTargets(selections, socketTargets(selections), before)).toEqual([]);
    });

    test('in the host’s network it stays known, lest it be given what the host is', () => {
      const hosts = platform(90, { podSelector: undefined, nodes: { selector: {} } });
      const onHost = { hostNetwork: true };
      const given = socketTargets(selectedBy([hosts], [nodePodOf({ spec: onHost })]));
      const selections = selectedBy([], [leftAlone({ spec: onHost })], [hosts]);
      expect(heldTargets(selections, socketTargets(selections), given)).toEqual([
        { place: HOST, wanted: asked, timeouts: [90] },
        { namespace: 'db', place: own, wanted: undefined, timeouts: [90] },
      ]);
    });

    test('is not asked any more once it is gone', () => {
      const selections = selectedBy([], [], [team(90)]);
      expect(heldTargets(selections, socketTargets(selections), before)).toEqual([]);
    });
  });

  test.each([
    [4, 1],
    [18, 3],
    [90, 15],
    [350, 30],
    [86_400, 30],
  ])('behind a hop of %i s new ones are looked for every %i s', (seconds, period) => {
    expect(scanPeriodSeconds(socketTargets(selectedBy([team(seconds)])))).toBe(period);
  });

  test('where all are only observed, now and then; where there is nobody, never', () => {
    expect(scanPeriodSeconds(socketTargets(selectedBy([team(4, { mode: 'Audit' })])))).toBe(30);
    expect(scanPeriodSeconds([])).toBeUndefined();
  });
});
