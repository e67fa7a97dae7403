import { describe, expect, test } from '@jest/globals';

import type { PolicyKind } from '../../../src/api/group.ts';
import { Sight } from '../../../src/controller/sight.ts';
import type { Subject } from '../../../src/policy/witness.ts';
import { witnessPod } from '../../../src/policy/witness.ts';

const subject = (resourceVersion: string, kind: PolicyKind = 'KeepalivePolicy'): Subject => ({
  ...{ kind, namespace: kind === 'KeepalivePolicy' ? 'db' : '', name: 'team', uid: 'u1', resourceVersion },
});
const nobody: ReadonlySet<string> = new Set();
const standing = (about: Subject, nonce: string, since: number) => ({
  subject: about,
  nonce,
  since,
  without: nobody,
});
const mark = 'witness.keepalive.dev/keepalivepolicies';
/** What comes back of a question, where the API server has seen that version; without one, unchanged. */
const pod = (resourceVersion?: string, uid = 'u1') => ({
  metadata: {
    annotations: {
      ...witnessPod([]).metadata.annotations,
      ...(resourceVersion === undefined ? {} : { [mark]: `${uid}/${resourceVersion}` }),
    },
  },
});

/** One that was asked by two bindings already, and believed. */
function trusted(): Sight {
  const sight = new Sight();
  for (const nonce of ['a', 'b']) {
    sight.stand(standing(subject('5'), nonce, 0));
    sight.look(pod('5'), 0);
  }
  return sight;
}
const facts = { now: 100, isOvertaken: false };

describe('what an API server is seen to act by', () => {
  test('is believed once two bindings were answered, since one pass may have the witness ready alone', () => {
    const sight = new Sight();
    expect(sight.stepFor(subject('5'), facts)).toBe('bind');
    sight.stand(standing(subject('5'), 'a', 0));
    expect(sight.look(pod('5'), 100)).toBe('open');
    // The same binding again is the same pass.
    expect(sight.look(pod('5'), 200)).toBe('open');
    expect(sight.stepFor(subject('5'), facts)).toBe('bind');
    sight.stand(standing(subject('5'), 'b', 300));
    expect(sight.look(pod('5'), 400)).toBe('seen');
    expect([sight.isOpen, sight.stepFor(subject('5'), facts)]).toEqual([false, 'keep']);
  });

  test.each([
    ['the version that was written', pod('5'), 'seen'],
    ['a later one', pod('10'), 'seen'],
    ['an earlier one, by number and not by letters', pod('4'), 'open'],
    ['nothing', pod(), 'open'],
    ['an object of that name that is gone', pod('9', 'u0'), 'open'],
  ])('by one that has %s at hand', (_what, answer, finding) => {
    const sight = trusted();
    sight.stand(standing(subject('5'), 'c', 1000));
    expect(sight.look(answer, 1100)).toBe(finding);
  });

  test('is doubted where the API server may have begun anew', () => {
    const sight = trusted();
    sight.doubt();
    expect(sight.look(pod('5'), 100)).toBe('open');
    expect(sight.isOpen).toBe(true);
    expect(sight.stepFor(subject('5'), facts)).toBe('bind');
  });
});

describe('a question', () => {
  test('is put by a new binding where something was written since, which may be bound', () => {
    expect(trusted().stepFor(subject('6', 'ClusterKeepalivePolicy'), { ...facts, isOvertaken: true })).toBe(
      'bind',
    );
    expect(trusted().stepFor({ ...subject('6'), uid: 'u2' }, { ...facts, isOvertaken: true })).toBe('bind');
  });

  test('stands already where the namespaced policy that it names was written again', () => {
    const sight = trusted();
    expect(sight.stepFor(subject('6'), { ...facts, isOvertaken: true })).toBe('follow');
    sight.follow({ subject: subject('6'), since: 1000, without: nobody });
    expect(sight.look(pod('5'), 1050)).toBe('open');
    expect(sight.look(pod('6'), 1100)).toBe('seen');
  });

  test('about a policy that is gone is no question any more, and where it had no answer others are asked about', () => {
    const answered = trusted();
    answered.lose();
    expect([answered.stepFor(subject('6'), facts), [...answered.passedOver]]).toEqual(['bind', []]);
    const open = trusted();
    open.stand(standing(subject('6'), 'c', 1000));
    open.lose();
    expect([open.stepFor(subject('6'), facts), [...open.passedOver]]).toEqual(['bind', ['db']]);
    open.stand(standing(subject('5'), 'd', 2000));
    open.look(pod('5'), 3000);
    expect([...open.passedOver]).toEqual([]);
  });

  test('is not overtaken before it was answered, whatever is written meanwhile', () => {
    const sight = trusted();
    sight.stand(standing(subject('6'), 'c', 1000));
    const overtaken = (now: number) =>
      sight.stepFor({ ...subject('7'), uid: 'u2' }, { now, isOvertaken: true });
    expect(overtaken(1001)).toBe('keep');
    sight.look(pod('5'), 1900);
    expect(overtaken(1900)).toBe('keep');
    sight.look(pod('6'), 2000);
    expect(overtaken(2000)).toBe('bind');
  });
});

describe('silence', () => {
  test('is told after three seconds, which begin when the API server has had its time', () => {
    const sight = trusted();
    sight.stand(standing(subject('9'), 'c', 1000));
    const found = [2000, 2999, 3001, 6000, 6001].map((now) => sight.look(pod(), now));
    expect(found).toEqual(['open', 'open', 'open', 'open', 'silent']);
    expect(sight.isSilent).toBe(true);
  });

  test('of a question that was answered before begins at once, and a hiccup is not told', () => {
    const sight = trusted();
    expect(sight.look(pod(), 10_000)).toBe('open');
    expect(sight.look(pod('5'), 12_999)).toBe('seen');
    expect(sight.look(pod(), 20_000)).toBe('open');
    expect(sight.look(pod(), 22_999)).toBe('open');
    expect(sight.look(pod(), 23_000)).toBe('silent');
  });

  test('has the question put anew every five seconds, since somebody may have taken the binding away', () => {
    const sight = trusted();
    sight.look(pod(), 10_000);
    expect(sight.stepFor(subject('5'), { ...facts, now: 10_000 })).toBe('bind');
    sight.stand(standing(subject('5'), 'c', 10_000));
    expect(sight.stepFor(subject('5'), { ...facts, now: 15_000 })).toBe('keep');
    expect(sight.stepFor(subject('5'), { ...facts, now: 15_001 })).toBe('bind');
  });

  test('ends when the API server acts again, two passes long', () => {
    const sight = trusted();
    for (const now of [10_000, 13_000]) sight.look(pod(), now);
    expect(sight.look(pod('5'), 14_000)).toBe('open');
    expect(sight.isSilent).toBe(true);
    expect(sight.stepFor(subject('5'), facts)).toBe('bind');
    sight.stand(standing(subject('5'), 'd', 14_000));
    expect(sight.look(pod('5'), 14_100)).toBe('seen');
    expect(sight.isSilent).toBe(false);
  });
});
