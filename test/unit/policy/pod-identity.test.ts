import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';

import { placeOfPod } from '../../../src/policy/place.ts';
import type { PodIdentity, Sighting } from '../../../src/policy/pod-identity.ts';
import { identify } from '../../../src/policy/pod-identity.ts';

const seen = (group: string, ...containers: string[]): Sighting[] => [
  { group, container: undefined },
  ...containers.map((container) => ({ group, container })),
];
type Sketch = Partial<Omit<PodIdentity, 'name'>>;
const podsOf = (sketches: Readonly<Record<string, Sketch>>) =>
  new Map(
    Object.entries(sketches).map(([name, { group, containers = [] }]) => [
      placeOfPod(name),
      { name, group, containers },
    ]),
  );
const identified = (sketches: Readonly<Record<string, Sketch>>, ...sightings: Sighting[][]) => {
  const { groups, contested } = identify(podsOf(sketches), sightings.flat());
  return { groups: Object.fromEntries(groups), contested: Object.fromEntries(contested) };
};

describe('a pod is', () => {
  test('what stands in the group of its uid, before any container of it is known', () => {
    expect(identified({ web: { group: 'u1' } }, seen('u1'), seen('u2')).groups).toEqual({ 'pod/web': 'u1' });
  });

  test('what one of its containers stands in, where a file made it and the kubelet named the group', () => {
    const { groups } = identified({ mirror: { containers: ['old', 'c1'] } }, seen('hash', 'pause', 'c1'));
    expect(groups).toEqual({ 'pod/mirror': 'hash' });
  });

  test('nowhere while nothing leads to it', () => {
    const nowhere = { groups: {}, contested: {} };
    expect(identified({ web: { group: 'u1' } }, seen('u2', 'c1'))).toEqual(nowhere);
    expect(identified({ mirror: {} }, seen('hash', 'c1'))).toEqual(nowhere);
  });
});

describe('nobody is', () => {
  test('what two pods’ statuses lead to; each is told of the other', () => {
    const { groups, contested } = identified(
      { victim: { group: 'u1', containers: ['c1'] }, liar: { containers: ['c1'] }, other: { group: 'u2' } },
      seen('u1', 'c1'),
      seen('u2'),
    );
    expect(groups).toEqual({ 'pod/other': 'u2' });
    expect(contested).toEqual({ 'pod/victim': ['liar'], 'pod/liar': ['victim'] });
  });

  test('what a pod claims beside its own: then its own is not changed either', () => {
    const { groups, contested } = identified(
      { victim: { group: 'u1' }, liar: { group: 'u2', containers: ['c1'] } },
      seen('u1', 'c1'),
      seen('u2'),
    );
    expect(groups).toEqual({});
    expect(contested).toEqual({ 'pod/victim': ['liar'], 'pod/liar': ['victim'] });
  });
});

test('whatever statuses say, no group is two pods’, and none is one that a pod did not lay claim to', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const pod = fc.record({
    group: fc.option(name, { nil: undefined }),
    containers: fc.array(name, { maxLength: 3 }),
  });
  const sighting = fc.record({ group: name, container: fc.option(name, { nil: undefined }) });
  fc.assert(
    fc.property(fc.dictionary(name, pod), fc.array(sighting), (sketches, sightings) => {
      const { groups, contested } = identify(podsOf(sketches), sightings);
      expect(new Set(groups.values()).size).toBe(groups.size);
      for (const [place, group] of groups) {
        const { group: own, containers = [] } =
          (sketches as Record<string, Sketch>)[place.slice('pod/'.length)] ?? {};
        const leads = (one: Sighting) => one.container !== undefined && containers.includes(one.container);
        expect(group === own || sightings.some((one) => one.group === group && leads(one))).toBe(true);
        expect(contested.has(place)).toBe(false);
      }
    }),
  );
});
