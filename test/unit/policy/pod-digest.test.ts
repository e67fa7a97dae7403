import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { podRecord } from '../../../src/controller/record.ts';
import { PolicyCount } from '../../../src/policy/count.ts';
import type { PodView } from '../../../src/policy/pod.ts';
import { digestOfPods, partOf } from '../../../src/policy/pod-digest.ts';
import { namespace, pod, sysctls, team } from '../../support/builder.ts';

describe('the digest of pods', () => {
  const uids = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 300 });

  test('is the same in whatever order they come, and fits the API', () => {
    fc.assert(
      fc.property(uids, (all) => {
        const digest = digestOfPods(all);
        expect(digestOfPods(all.toReversed())).toBe(digest);
        expect(digest).toBeGreaterThanOrEqual(0);
        expect(digest).toBeLessThan(2 ** 31);
      }),
    );
  });

  test('is another where one is in the place of another', () => {
    fc.assert(
      fc.property(uids, fc.uuid(), ([first = '', ...rest], other) => {
        fc.pre(first !== other);
        expect(digestOfPods([other, ...rest])).not.toBe(digestOfPods([first, ...rest]));
      }),
    );
  });

  test('has a part for each pod, which the controller reckons once', () => {
    const metadata = { name: 'a', uid: 'of-a', resourceVersion: '1' };
    expect(podRecord({ metadata }, 'keepalive-agent').digestPart).toBe(partOf('of-a'));
  });

  test('of no pods is 0', () => {
    expect(digestOfPods([])).toBe(0);
  });
});

/** Pods of one node that come and go, as a controller counts them. */
class Node {
  readonly #pods = new Map<string, PodView>();
  readonly #count = new PolicyCount(team(90), () => undefined, {
    podsIn: () => new Set(this.#pods.keys()),
    pod: (key) => this.#pods.get(key),
    namespace: () => namespace(),
  });

  constructor(...uids: readonly string[]) {
    for (const uid of uids) this.#pods.set(uid, podOf(uid));
    this.#count.namespaceChanged('db');
    while (!this.#count.settle().next().done);
  }

  come(uid: string, on?: string, phase?: string): void {
    this.#change(uid, podOf(uid, on, phase));
  }

  go(uid: string): void {
    this.#change(uid, undefined);
  }

  /** An agent tells that it has looked at these. */
  told(...uids: readonly string[]): void {
    this.#count.census.noteRead('n1', digestOfPods(uids));
  }

  /** Whether what it told of these, the same of each, speaks of all that are there. */
  isRead(...uids: readonly string[]): boolean {
    return this.#count.census.isRead('n1', digestOfPods(uids), true);
  }

  /** The same, where it had not the same to say of each. */
  isReadThoughUnlike(...uids: readonly string[]): boolean {
    return this.#count.census.isRead('n1', digestOfPods(uids), false);
  }

  #change(uid: string, after: PodView | undefined): void {
    const before = this.#pods.get(uid);
    if (after === undefined) this.#pods.delete(uid);
    else this.#pods.set(uid, after);
    this.#count.podChanged(uid, before, after);
  }
}

const podOf = (uid: string, nodeName = 'n1', phase = 'Running') => ({
  ...pod({ name: uid, phase, sysctls: sysctls(), spec: { nodeName } }),
  uid,
});

describe('what an agent told', () => {
  test('speaks of all pods where it counts the same ones', () => {
    expect(new Node('a', 'b').isRead('b', 'a')).toBe(true);
    expect(new Node('a', 'b').isRead('a')).toBe(false);
  });

  test('does not speak of one that came in the place of another, until it is told', () => {
    const node = new Node('a', 'b');
    node.told('a', 'b');
    node.come('c');
    node.go('a');
    expect(node.isRead('a', 'b')).toBe(false);
    expect(node.isRead('b', 'c')).toBe(true);
  });

  test('does not speak of one that came in the place of the only one, whatever becomes of it', () => {
    const node = new Node('a');
    node.told('a');
    node.go('a');
    node.come('b', 'n1', 'Pending');
    node.come('b', 'n1', 'Running');
    expect(node.isRead('a')).toBe(false);
    node.told('b');
    expect(node.isRead('b')).toBe(true);
  });

  test('speaks of those that are left where one went, if it had the same to say of each', () => {
    const node = new Node('a', 'b');
    node.told('a', 'b');
    node.go('a');
    expect(node.isRead('a', 'b')).toBe(true);
    expect(node.isReadThoughUnlike('a', 'b')).toBe(false);
  });

  test('speaks of one that has changed and is the same', () => {
    const node = new Node('a', 'b');
    node.told('a', 'b');
    node.come('a');
    node.go('b');
    expect(node.isRead('a', 'b')).toBe(true);
  });

  test('does not speak of one that came from another node under the same name', () => {
    const node = new Node('a');
    node.told('a');
    node.come('b', 'n2');
    expect(node.isRead('a')).toBe(true);
    node.come('b', 'n1');
    expect(node.isRead('a')).toBe(false);
  });

  test('may be ahead of what the controller has heard of', () => {
    const node = new Node('a');
    node.told('a', 'b');
    expect(node.isRead('a', 'b')).toBe(false);
    node.come('b');
    node.told('a', 'b');
    node.go('a');
    expect(node.isRead('a', 'b')).toBe(true);
  });

  test('is of no place where nothing is left', () => {
    const node = new Node('a');
    node.go('a');
    node.told();
    node.come('b');
    expect(node.isRead()).toBe(false);
  });
});
