import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { placeIn } from '../../../src/policy/census.ts';
import { PolicyCount } from '../../../src/policy/count.ts';
import { digestOfPods } from '../../../src/policy/pod-digest.ts';
import type { NamespaceView, PodView } from '../../../src/policy/pod.ts';
import { namespace, platform, pod, sysctls } from '../../support/builder.ts';

const selecting = platform(90, { namespaceSelector: { matchLabels: { team: 'red' } } });
const spaces = ['db', 'web'] as const;

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('pod' as const),
      namespace: fc.constantFrom(...spaces),
      name: fc.constantFrom('a', 'b', 'c'),
      is: fc.option(
        fc.record({
          uid: fc.constantFrom('u1', 'u2'),
          nodeName: fc.constantFrom('n1', 'n2'),
          sysctls: fc.constantFrom(sysctls(), sysctls(7200)),
          static: fc.boolean(),
        }),
        { nil: undefined, freq: 3 },
      ),
    }),
    fc.record({
      do: fc.constant('namespace' as const),
      name: fc.constantFrom(...spaces),
      red: fc.boolean(),
      pinned: fc.boolean(),
    }),
    fc.record({ do: fc.constant('count' as const), steps: fc.integer({ min: 1, max: 3 }) }),
  ),
  { maxLength: 40 },
);

const view = (name: string, red: boolean, pinned: boolean): NamespaceView =>
  namespace(name, {
    ...(red ? { team: 'red' } : {}),
    ...(pinned
      ? {
          'pod-security.kubernetes.io/enforce': 'baseline',
          'pod-security.kubernetes.io/enforce-version': 'v1.20',
        }
      : {}),
  });

class Rig {
  readonly pods = new Map<string, PodView>();
  readonly namespaces = new Map<string, NamespaceView>(spaces.map((name) => [name, view(name, true, false)]));

  /** Of pods that are selected. */
  *uidsAt(place: string): Generator<string> {
    for (const one of this.pods.values())
      if (placeIn(one) === place && this.namespaces.get(one.namespace)?.labels.team === 'red')
        yield one.uid ?? '';
  }

  counted(podsInStep?: number): PolicyCount {
    const population = {
      podsIn: (of: string) =>
        new Set([...this.pods].filter(([, one]) => one.namespace === of).map(([key]) => key)),
      pod: (key: string) => this.pods.get(key),
      namespace: (name: string) => this.namespaces.get(name),
    };
    const count = new PolicyCount(selecting, () => undefined, population, podsInStep);
    for (const name of spaces) count.namespaceChanged(name);
    return count;
  }
}

const stepsOf = (counting: Generator<void>) => [...counting].length;

const tallies = ({ census }: PolicyCount) =>
  Object.fromEntries([...census.places()].sort().map((place) => [place, census.tallyOf(place)]));

test('where only one namespace is given the values since another time, no pod of the others is counted anew', () => {
  const rig = new Rig();
  for (const of of spaces)
    for (const name of ['a', 'b', 'c']) rig.pods.set(`${of}/${name}`, pod({ name, namespace: of }));
  const count = rig.counted(1);
  const all = stepsOf(count.settle());
  count.sinceChanged((name) => (name === 'db' ? 1 : undefined));
  expect(stepsOf(count.settle())).toBe(all / 2);
  expect(tallies(count)).toEqual(tallies(settled(rig.counted(), (name) => (name === 'db' ? 1 : undefined))));
});

test('few pods of a namespace are counted in one step, and many in several', () => {
  const rig = new Rig();
  for (let at = 0; at < 1000; at += 1) {
    const name = `p${at}`;
    rig.pods.set(`db/${name}`, pod({ name, namespace: 'db' }));
    if (at < 200) rig.pods.set(`web/${name}`, pod({ name, namespace: 'web' }));
  }
  const count = rig.counted();
  // Of the first, 256 at a time.
  expect(stepsOf(count.settle())).toBe(4 + 1);
  expect(count.census.total('selected')).toBe(1200);
});

function settled(count: PolicyCount, since: (name: string) => number | undefined): PolicyCount {
  count.sinceChanged(since);
  for (const _ of count.settle());
  return count;
}

test('pods and namespaces that change while others are being counted are counted once, as they are', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 2, undefined), (all, podsInStep) => {
      const rig = new Rig();
      const count = rig.counted(podsInStep);
      for (const step of all) {
        if (step.do === 'count') {
          const counting = count.settle();
          for (let at = 0; at < step.steps; at += 1) counting.next();
        } else if (step.do === 'namespace') {
          rig.namespaces.set(step.name, view(step.name, step.red, step.pinned));
          count.namespaceChanged(step.name);
        } else {
          const { namespace: of, name, is } = step;
          const key = `${of}/${name}`;
          const before = rig.pods.get(key);
          if (is === undefined) rig.pods.delete(key);
          else {
            const annotations: Record<string, string> = is.static
              ? { 'kubernetes.io/config.mirror': 'x' }
              : {};
            const { nodeName, sysctls: own } = is;
            const now = pod({ name, namespace: of, sysctls: own, annotations, spec: { nodeName } });
            rig.pods.set(key, { ...now, uid: is.uid });
          }
          count.podChanged(key, before, rig.pods.get(key));
        }
      }
      while (!count.settle().next().done);
      const anew = rig.counted();
      while (!anew.settle().next().done);
      expect(tallies(count)).toEqual(tallies(anew));
      for (const place of count.census.places())
        expect([place, count.census.isRead(place, digestOfPods(rig.uidsAt(place)), false)]).toEqual([
          place,
          true,
        ]);
      expect([count.isSettled, count.census.total('selected')]).toEqual([
        true,
        anew.census.total('selected'),
      ]);
    }),
    { numRuns: 2000 },
  );
});
