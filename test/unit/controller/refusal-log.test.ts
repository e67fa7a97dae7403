import { isDeepStrictEqual } from 'node:util';

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Refusal } from '../../../src/api/status.ts';
import { RefusalLog } from '../../../src/controller/refusal-log.ts';
import { policyRecord } from '../../../src/policy/record.ts';
import { refusalsOf } from '../../../src/policy/withholding.ts';
import { namespace, platform, platformSpec } from '../../support/builder.ts';

const refused = (atMs: number, namespace = 'db') => ({ namespace, atMs, by: 'x', words: 'sysctls' });

test('of each namespace the newest is held, in whatever order they come', () => {
  const log = new RefusalLog();
  expect(log.note(refused(5), 10)).toBe(true);
  expect(log.note(refused(3), 10)).toBe(false);
  expect(log.note(refused(5), 10)).toBe(false);
  expect(log.note(refused(7), 10)).toBe(true);
  expect(log.of('db')).toEqual([refused(7)]);
  expect(log.of('web')).toEqual([]);
});

test('a time to come is taken for now, so that it hides nothing that follows', () => {
  const log = new RefusalLog();
  log.note(refused(Number.MAX_SAFE_INTEGER), 10);
  expect(log.of('db')).toEqual([refused(10)]);
  expect(log.note(refused(11), 12)).toBe(true);
});

test('a thousand namespaces are remembered, and the longest silent one is forgotten first', () => {
  const log = new RefusalLog();
  for (let at = 0; at < 1_000; at += 1) log.note(refused(1, `n${at}`), 10);
  log.note(refused(2, 'n0'), 10);
  log.note(refused(1, 'one-more'), 10);
  expect(log.inTurnFor('p', []).heard).toHaveLength(1_000);
  expect(log.of('n0')).toHaveLength(1);
  expect(log.of('n1')).toEqual([]);
});

describe('where a policy has no place for all', () => {
  const start = Date.parse('2026-05-04T10:00:00Z');
  const policy = policyRecord('ClusterKeepalivePolicy', {
    metadata: { name: 'p', uid: 'p', generation: 1, resourceVersion: '1' },
    spec: platformSpec(90),
  });
  /** A policy of which a status is written at each look that has another to tell. */
  function looked() {
    const log = new RefusalLog();
    let refusals: Refusal[] = [];
    let seconds = 0;
    return {
      /** That something was refused there, at the time that is claimed; true when another status is written. */
      claim: (where: string, skewMs = 0) =>
        log.note(refused(start + seconds * 1000 + skewMs, where), start + seconds * 1000),
      pass: () => void (seconds += 1),
      look: () => {
        seconds += 1;
        const now = new Date(start + seconds * 1000);
        const record = { ...policy, status: { observedGeneration: 1, refusals } };
        const hearing = { record, ...log.inTurnFor('p', refusals), namespaceOf: namespace, now };
        const before = refusals;
        refusals = refusalsOf(platform(90), hearing);
        return !isDeepStrictEqual(before, refusals);
      },
      lists: (where: string) => refusals.some((one) => one.namespace === where),
    };
  }

  test('all that are refused have a place in turn, and looks that hear nothing new write nothing new', () => {
    const { claim, look, lists } = looked();
    for (let at = 0; at < 70; at += 1) claim(`n${at}`);
    expect([look(), look(), look(), look()]).toEqual([true, true, false, false]);
    expect(lists('n69')).toBe(true);
    // Refused anew, it waits for one write.
    const [out = ''] = Array.from({ length: 70 }, (_, at) => `n${at}`).filter((name) => !lists(name));
    expect(claim(out)).toBe(true);
    expect([look(), lists(out), look()]).toEqual([true, true, false]);
  });

  test('what was refused between the look that took its place and the next is news', () => {
    const { claim, look, lists } = looked();
    for (let at = 0; at < 64; at += 1) claim(`n${at}`);
    look();
    claim('other');
    look();
    const [out = ''] = Array.from({ length: 64 }, (_, at) => `n${at}`).filter((name) => !lists(name));
    claim(out);
    expect([look(), lists(out)]).toEqual([true, true]);
  });

  test('what is refused again while it waits keeps its turn', () => {
    const { claim, look, lists } = looked();
    for (let at = 0; at < 64; at += 1) claim(`n${at}`);
    look();
    claim('mine', -1);
    for (let at = 0; at < 64; at += 1) claim(`other${at}`);
    expect(claim('mine')).toBe(true);
    look();
    expect(lists('mine')).toBe(true);
  });

  /** Some neighbouring ones of 300 namespaces, and the time that their events claim. */
  const claims = fc.record({
    ...{ from: fc.nat(299), count: fc.nat(299) },
    skewMs: fc.oneof(fc.constant(0), fc.integer({ min: -1_100_000, max: 1_100_000 })),
  });

  test('whoever makes 64 namespaces more for each write keeps nobody out who had a place', () => {
    const { claim, look, lists } = looked();
    let made = 0;
    const seen = Array.from({ length: 100 }, () => {
      for (let at = 0; at < 64; at += 1) claim(`n${(made += 1)}`);
      if (!lists('mine')) claim('mine');
      look();
      return lists('mine');
    });
    expect(seen.filter((isListed) => isListed).length).toBeGreaterThan(40);
  });

  test('nobody waits for more writes than there are 32s of those that were heard of before', () => {
    const course = fc.array(claims, { maxLength: 12, size: 'max' });
    fc.assert(
      fc.property(course, course, (before, meanwhile) => {
        const { claim, pass, look, lists } = looked();
        const claimAll = ({ from, count, skewMs }: (typeof before)[number]) => {
          for (let at = 0; at < count; at += 1) claim(`n${(from + at) % 300}`, skewMs);
        };
        for (const some of before) {
          claimAll(some);
          look();
        }
        claim('mine');
        let writes = 0;
        for (; !lists('mine') && writes < 10; writes += 1) {
          for (const some of meanwhile) {
            pass();
            claimAll(some);
          }
          expect(look()).toBe(true);
        }
        expect(writes).toBeLessThanOrEqual(Math.ceil(301 / 32));
      }),
      { numRuns: 100 },
    );
  });

  test('each policy has turns of its own, and one that is gone is forgotten', () => {
    const log = new RefusalLog();
    const listed = (count: number): Refusal[] =>
      Array.from({ length: count }, (_, at) => ({
        ...{ namespace: `n${at}`, admission: 'Withheld', times: 1, by: 'x', message: 'sysctls' },
        ...{ since: new Date(start).toISOString(), refusedAt: new Date(start).toISOString() },
      }));
    for (let at = 0; at < 65; at += 1) log.note(refused(start, `n${at}`), start);
    const seen = (of: string, refusals: readonly Refusal[]) => {
      const { heard, left } = log.inTurnFor(of, refusals);
      return [heard.length, left.length];
    };
    expect([seen('a', listed(64)), seen('b', listed(64))]).toEqual([
      [65, 0],
      [65, 0],
    ]);
    expect([seen('a', listed(60)), seen('b', listed(64))]).toEqual([
      [61, 4],
      [65, 0],
    ]);
    log.forget('a');
    expect(seen('a', listed(60))).toEqual([65, 0]);
  });
});
