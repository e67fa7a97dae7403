import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { PolicyCount } from '../../../src/policy/count.ts';
import type { PodView } from '../../../src/policy/pod.ts';
import { digestOfPods } from '../../../src/policy/pod-digest.ts';
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

  come(uid: string, on?: string): void {
    this.#change(uid, podOf(uid, on));
  }

  go(uid: string): void {
    this.#change(uid, undefined);
  }

  isRead(...uids: readonly string[]): boolean {
    return this.#count.census.isRead('n1', digestOfPods(uids));
  }

  #change(uid: string, after: PodView | undefined): void {
    const before = this.#pods.get(uid);
    if (after === undefined) this.#pods.delete(uid);
    else this.#pods.set(uid, after);
    this.#count.podChanged(uid, before, after);
  }
}

const podOf = (uid: string, nodeName = 'n1') => ({
  ...pod({ name: uid, sysctls: sysctls(), spec: { nodeName } }),
  uid,
});

describe('what an agent told', () => {
  test('speaks of all pods where it counts the same ones', () => {
    expect(new Node('a', 'b').isRead('b', 'a')).toBe(true);
    expect(new Node('a', 'b').isRead('a')).toBe(false);
  });

  test('does not speak of one that came in the place of another, until it is told', () => {
    const node = new Node('a', 'b');
    expect(node.isRead('a', 'b')).toBe(true);
    node.come('c');
    node.go('a');
    expect(node.isRead('a', 'b')).toBe(false);
    expect(node.isRead('b', 'c')).toBe(true);
  });

  test('speaks of all that are left where one went', () => {
    const node = new Node('a', 'b');
    expect(node.isRead('a', 'b')).toBe(true);
    node.go('a');
    expect(node.isRead('a', 'b')).toBe(true);
  });

  test('speaks of one that has changed and is the same', () => {
    const node = new Node('a', 'b');
    expect(node.isRead('a', 'b')).toBe(true);
    node.come('a');
    node.go('b');
    expect(node.isRead('a', 'b')).toBe(true);
  });

  test('does not speak of one that came from another node under the same name', () => {
    const node = new Node('a');
    node.come('b', 'n2');
    expect(node.isRead('a')).toBe(true);
    node.come('b', 'n1');
    expect(node.isRead('a')).toBe(false);
  });

  test('may be ahead of what the controller has heard of', () => {
    const node = new Node('a');
    expect(node.isRead('a', 'b')).toBe(false);
    node.come('b');
    expect(node.isRead('a', 'b')).toBe(true);
    node.go('a');
    expect(node.isRead('a', 'b')).toBe(true);
  });
});
