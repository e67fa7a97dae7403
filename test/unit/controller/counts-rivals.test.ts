import { setImmediate } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';

import { Crowd } from '../../../src/policy/crowd.ts';
import { RivalCount } from '../../../src/policy/rival-count.ts';
import { platform, pod, sysctls, team } from '../../support/builder.ts';
import { names, namespaces, Rig } from './counts-rig.ts';
import type { Step } from './counts-steps.ts';
import { steps, take } from './counts-steps.ts';

const enough = sysctls(5, 2, 6);
const pinned = {
  'pod-security.kubernetes.io/enforce': 'baseline',
  'pod-security.kubernetes.io/enforce-version': 'v1.20',
};

/** All that has a say in who binds where, and nothing that would be told before it. */
const bindingSteps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    ...{ do: fc.constant('pod' as const), name: fc.constantFrom(...names), isPlaced: fc.constant(true) },
    namespace: fc.constantFrom(...namespaces),
    sketch: fc.constantFrom(
      ...[undefined, {}, { labels: { app: 'mongo' } }].map((one) => one && { ...one, sysctls: enough }),
    ),
  }),
  fc.record({
    ...{ do: fc.constant('namespace' as const), name: fc.constantFrom(...namespaces) },
    labels: fc.constantFrom(undefined, {}, { team: 'red' }, { team: 'red', ...pinned }),
  }),
  fc.record({
    ...{ do: fc.constant('policy' as const), name: fc.constantFrom('x', 'y', 'z') },
    namespace: fc.constantFrom('', '', 'db'),
    is: fc.record({
      ...{
        seconds: fc.constantFrom(30, 90),
        generation: fc.constant(1),
        mode: fc.constant('Enforce' as const),
      },
      podSelector: fc.constantFrom<object>({}, { matchLabels: { app: 'mongo' } }),
      namespaceSelector: fc.constantFrom<object | undefined>(undefined, { matchLabels: { team: 'red' } }),
      ...{ nodes: fc.constant(undefined), readyAt: fc.constant(undefined) },
    }),
  }),
  fc.record({ do: fc.constant('look' as const), name: fc.constant('x') }),
);

/** After each step so many steps are counted before the next comes. */
type Course = readonly (readonly [Step, number])[];

async function expectPlainCounts(course: Course): Promise<void> {
  const rig = new Rig({ sliceMs: 0 });
  const counting: Promise<unknown>[] = [];
  for (const [step, turns] of course) {
    if (step.do === 'look')
      counting.push(...rig.keys().map((key) => rig.world.counts.settle(key, () => true)));
    else take(rig, step);
    for (let turn = 0; turn < turns; turn += 1) await setImmediate();
  }
  await Promise.all(counting);
  for (const key of rig.keys()) expect([key, await rig.kept(key)]).toEqual([key, rig.plain(key)]);
}

test.each([
  ['whatever else comes', steps],
  ['whoever binds', bindingSteps],
])('what is another while it is being counted is counted once, as it is: %s', async (_what, any) => {
  const course = fc.array(fc.tuple(any, fc.nat(5)), { maxLength: 60, size: 'max' });
  await fc.assert(fc.asyncProperty(course, expectPlainCounts), { numRuns: 50 });
});

describe('what a policy misses does not stay away once it is again what was counted', () => {
  const look: Step = { do: 'look', name: 'x' };
  const acts = {
    generation: 1,
    mode: 'Enforce',
    podSelector: {},
    nodes: undefined,
    readyAt: undefined,
  } as const;
  const spec = { ...acts, seconds: 90, namespaceSelector: undefined } as const;
  const selecting = { ...spec, namespaceSelector: { matchLabels: { team: 'red' } } };
  const cluster = { do: 'policy', namespace: '' } as const;

  test('since there were too many of them meanwhile', async () => {
    const policy = { do: 'policy', namespace: 'web', is: { ...spec, seconds: 30 } } as const;
    const pod: Step = {
      do: 'pod',
      namespace: 'web',
      name: 'a',
      sketch: { sysctls: enough },
      isPlaced: false,
    };
    await expectPlainCounts([
      [{ ...policy, name: 'z' }, 0],
      [look, 5],
      [{ do: 'limit', to: '1' }, 0],
      [{ ...policy, name: 'x' }, 0],
      [pod, 0],
      [{ do: 'limit', to: '100' }, 0],
    ]);
  });

  test('since it selected something else meanwhile', async () => {
    const pod = { do: 'pod', namespace: 'db', name: 'a', isPlaced: true } as const;
    await expectPlainCounts([
      [{ ...cluster, name: 'x', is: { ...spec, seconds: 30 } }, 0],
      [{ ...cluster, name: 'y', is: selecting }, 0],
      [look, 5],
      [{ do: 'namespace', name: 'db', labels: {} }, 0],
      [look, 5],
      [{ ...cluster, name: 'y', is: spec }, 0],
      [{ ...pod, sketch: { sysctls: enough } }, 0],
      [{ ...cluster, name: 'y', is: selecting }, 0],
    ]);
  });
});

describe('a namespace that turns', () => {
  const spaces = Array.from({ length: 20 }, (_, index) => `ns-${index}`);
  const keys = ['loose', 'strict', 'strictest'];
  let rig: Rig;
  let compared: jest.SpiedFunction<Crowd['sharedBy']>;

  const label = (name: string, labels: Record<string, string> | undefined) => {
    rig.put('namespaces', name, labels && { uid: name, name, labels });
  };
  const putPod = (name: string, namespace: string) => {
    rig.put('pods', `${namespace}/${name}`, {
      ...pod({ name, namespace, sysctls: enough }),
      ...{ uid: `${namespace}/${name}`, agentReady: undefined },
    });
  };
  /** By how many pods the others bind instead of the loosest, as it is told and as a plain recount finds. */
  const bound = async () => {
    for (const key of keys) await rig.world.counts.settle(key, () => true);
    const calls = compared.mock.calls.length;
    const kept = await rig.kept('loose');
    expect(kept).toEqual(rig.plain('loose'));
    const told = kept?.findings.filter(({ reason }) => reason === 'StricterPolicy') ?? [];
    return { calls, pods: told.map(({ message }) => Number(/on (\d+) of/.exec(message)?.[1])) };
  };

  beforeEach(async () => {
    compared = jest.spyOn(Crowd.prototype, 'sharedBy');
    rig = new Rig();
    for (const [index, name] of keys.entries()) {
      const policy = platform(90 - 30 * index, { namespaceSelector: red }, name);
      const rest = { uid: name, generation: 1, problems: undefined, status: {} };
      rig.put('clusterkeepalivepolicies', name, { ...policy, policy, ...rest });
    }
    for (const name of spaces) {
      label(name, { team: 'red' });
      putPod('a', name);
    }
    expect((await bound()).pods).toEqual([20, 20]);
    compared.mockClear();
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  const red = { matchExpressions: [{ key: 'team', operator: 'Exists' as const }] };

  test('costs nothing where it is empty, and its pods count once they come', async () => {
    label('new', { team: 'red' });
    expect(await bound()).toEqual({ calls: 0, pods: [20, 20] });
    putPod('a', 'new');
    expect(await bound()).toEqual({ calls: 0, pods: [21, 21] });
    rig.put('pods', 'new/a', undefined);
    label('new', undefined);
    expect(await bound()).toEqual({ calls: 0, pods: [20, 20] });
  });

  test('costs what there is in it, before and after, for each pair of policies', async () => {
    const pairs = 3;
    label('ns-0', {});
    expect(await bound()).toEqual({ calls: pairs, pods: [19, 19] });
    label('ns-0', { team: 'red' });
    expect(await bound()).toEqual({ calls: 2 * pairs, pods: [20, 20] });
    label('ns-0', { team: 'red', ...pinned });
    expect(await bound()).toEqual({ calls: 4 * pairs, pods: [19, 19] });
  });
});

describe('a pod that comes where many policies select it', () => {
  let changed: jest.SpiedFunction<RivalCount['change']>;
  beforeEach(() => {
    changed = jest.spyOn(RivalCount.prototype, 'change');
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const putPod = (rig: Rig, name: string) => {
    rig.put('pods', `db/${name}`, { ...pod({ name, sysctls: enough }), uid: name, agentReady: undefined });
  };
  const rigWith = async (many: number, secondsOf: (at: number) => number) => {
    const rig = new Rig();
    rig.limit('10000');
    rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
    putPod(rig, 'first');
    for (let at = 0; at < many; at += 1) {
      const policy = team(secondsOf(at), {}, `p${at}`);
      const rest = { uid: `u${at}`, generation: 1, problems: undefined, status: {} };
      rig.put('keepalivepolicies', `db/p${at}`, { ...policy, policy, ...rest });
    }
    for (const key of rig.keys()) await rig.world.counts.settle(key, () => true);
    changed.mockClear();
    return rig;
  };
  const expectCounted = async (rig: Rig, key: string) => {
    const kept = await rig.kept(key);
    expect(kept).toEqual(rig.plain(key));
    return kept?.findings.map(({ message }) => message);
  };

  test('costs no pair of those that ask for the same, beside one that binds instead of each', async () => {
    const rig = await rigWith(500, (at) => (at === 0 ? 30 : 90));
    putPod(rig, 'second');
    expect(changed).toHaveBeenCalledTimes(499);
    expect(await expectCounted(rig, 'db/p1')).toContainEqual(expect.stringContaining('on 2 of'));
  });

  test('costs the pairs of which one binds instead of the other', async () => {
    const rig = await rigWith(5, (at) => 900 - 100 * at);
    putPod(rig, 'second');
    expect(changed).toHaveBeenCalledTimes(10);
    expect(await expectCounted(rig, 'db/p0')).toContainEqual(expect.stringContaining('on 2 of'));
  });
});
