import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import type { Condition, PolicyStatus } from '../../../src/api/status.ts';
import { digestOfPods } from '../../../src/policy/pod-digest.ts';
import { digestOfPolicy } from '../../../src/policy/policy-digest.ts';
import { pod, sysctls, team } from '../../support/builder.ts';
import { home, Rig } from './counts-rig.ts';
import type { Step } from './counts-steps.ts';
import { nodeSteps, policyOf, someAgents, steps, take } from './counts-steps.ts';

test('whatever comes, changes and goes, in whatever order: what is kept up is what a plain recount finds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (all) => {
      const rig = new Rig();
      for (const step of all) {
        // A look in between counts, and what comes after it is added to that.
        if (step.do === 'look') for (const key of rig.keys()) await rig.kept(key);
        else take(rig, step);
      }
      for (const key of rig.keys()) expect([key, await rig.kept(key)]).toEqual([key, rig.plain(key)]);
    }),
    { numRuns: 300 },
  );
});

test('nobody binds instead of a cluster policy in a namespace that is not known yet: it is not counted there', async () => {
  const spec = {
    ...{ generation: 1, podSelector: {}, mode: 'Enforce' as const, namespaceSelector: undefined },
    ...{ nodes: undefined, readyAt: undefined },
  };
  const rig = new Rig();
  rig.put('clusterkeepalivepolicies', 'x', policyOf({ name: 'x', namespace: '' }, { ...spec, seconds: 90 }));
  rig.put('keepalivepolicies', 'db/x', policyOf({ name: 'x', namespace: 'db' }, { ...spec, seconds: 30 }));
  const one = { ...pod({ name: 'a', spec: { nodeName: 'n1' } }), uid: 'a', agentReady: undefined };
  const findings = async () => {
    expect(await rig.kept('x')).toEqual(rig.plain('x'));
    return (await rig.kept('x'))?.findings.map(({ reason }) => reason);
  };
  rig.put('pods', 'db/a', one);
  expect(await findings()).toEqual([]);
  rig.put('pods', 'db/b', { ...one, uid: 'b' });
  expect(await findings()).toEqual([]);
  rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
  expect(await findings()).toContain('StricterPolicy');
});

test.each<[string, typeof steps, readonly Step[]]>([
  ['whoever is not told to look again would see what was seen before', steps, []],
  // Its labels tell nothing where no agents are meant to be on some nodes only.
  ['so would those whom a node does not concern that comes, goes or is relabelled', nodeSteps, someAgents],
])('%s', async (_sentence, lastSteps, first) => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 30 }), lastSteps, async (all, last) => {
      fc.pre(last.do !== 'look');
      const rig = new Rig();
      for (const step of [...first, ...all]) if (step.do !== 'look') take(rig, step);
      const before = new Map<string, unknown>();
      for (const key of rig.keys()) before.set(key, await rig.kept(key));
      rig.woken.clear();
      take(rig, last);
      for (const key of rig.keys())
        if (!rig.woken.has(key)) expect([key, await rig.kept(key)]).toEqual([key, before.get(key)]);
    }),
    { numRuns: 300 },
  );
});

describe('words that were forgotten', () => {
  const key = 'x';
  const many = Array.from({ length: 60 }, (_, index) => `n${index}`);
  const told = (node: string, reasons: readonly string[]): NodePolicyReport => ({
    ...{ kind: 'ClusterKeepalivePolicy', name: key, observedGeneration: 1, selected: 9, live: 0 },
    findings: reasons.map((reason, index) => ({ reason, pod: `p${index}`, node, message: `of ${node}` })),
    findingsTotal: reasons.length,
  });

  test.each([
    ['of nodes that tell of much', Array<string>(20).fill('NotEnforced')],
    ['of nodes that tell of one thing first', ['NotLive', ...Array<string>(19).fill('OwnValuesChanged')]],
    ['of nodes that tell of little', ['HostNetwork']],
  ])('%s are read once more when it is their turn', async (_sentence, reasons) => {
    const rig = new Rig();
    rig.put('clusterkeepalivepolicies', key, policyOf({ name: key, namespace: '' }, plainSpec));
    rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
    for (const node of many) {
      const [of, agent] = [pod({ name: node, spec: { nodeName: node } }), { uid: node, agentReady: true }];
      rig.put('pods', `db/${node}`, { ...of, uid: node, agentReady: undefined });
      rig.put('pods', `${home}/${node}`, { ...of, ...agent, namespace: home });
      rig.report(node, [told(node, reasons)]);
    }
    for (const node of [...many].sort()) {
      const kept = await rig.kept(key);
      expect(kept).toEqual(rig.plain(key));
      expect(kept?.findings[0]?.node).toBe(node);
      rig.report(node, [told(node, [])]);
    }
    expect((await rig.kept(key))?.findings).toEqual([]);
  });

  const plainSpec = {
    ...{ seconds: 90 as const, generation: 1, podSelector: {}, mode: 'Audit' as const },
    ...{ namespaceSelector: undefined, nodes: undefined, readyAt: undefined },
  };

  test('are asked for again only once: those that the last look had to have are kept', () => {
    const rig = new Rig();
    const { told: words } = rig.world;
    const findings = told('n', Array<string>(20).fill('NotLive')).findings ?? [];
    for (const node of ['a', 'b', 'c', 'd']) words.offer(key, { node, version: '1', findings });
    expect(words.get(key, 'd', '1')).toBeUndefined();
    words.offer(key, { node: 'd', version: '1', findings }, true);
    words.offer(key, { node: 'b', version: '2', findings });
    expect(words.get(key, 'd', '1')).toEqual(findings);
    expect(words.get(key, 'd', '0')).toBeUndefined();
    words.needs(key, new Set(['a']));
    expect(words.get(key, 'd', '1')).toBeUndefined();
  });
});

describe('of the pods of a node that its agent had told of before they were counted', () => {
  const uids = ['ua', 'ub', 'uc'];
  const placed = (name: string, namespace = 'db', phase = 'Running') =>
    pod({ name, namespace, phase, sysctls: sysctls(), spec: { nodeName: 'n1' } });
  const rigWith = () => {
    const rig = new Rig();
    rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
    rig.put('nodes', 'n1', { uid: 'n1', name: 'n1', labels: {} });
    rig.put('pods', `${home}/agent`, { ...placed('agent', home), uid: 'agent', agentReady: true });
    for (const uid of uids) rig.put('pods', `db/${uid}`, { ...placed(uid), uid, agentReady: undefined });
    put(rig, 90, 'uid-1');
    return rig;
  };
  const put = (rig: Rig, seconds: number, uid: string, status: PolicyStatus = {}) => {
    const policy = team(seconds);
    const record = {
      ...policy,
      policy,
      uid,
      resourceVersion: '1',
      generation: 1,
      problems: undefined,
      status,
    };
    rig.put('keepalivepolicies', 'db/team', record);
  };
  const tell = (rig: Rig, policyDigest: number, live = 3, exposed = 3 - live) => {
    const connections = { established: 5, protected: 5, exposed: 0, unknown: 0 };
    const pending = 3 - live - exposed;
    const counts = { selected: 3, live, pending, podsDigest: digestOfPods(uids), policyDigest, connections };
    rig.report('n1', [
      { kind: 'KeepalivePolicy', namespace: 'db', name: 'team', observedGeneration: 1, ...counts },
    ]);
  };
  const covered = async (rig: Rig) => (await rig.kept('db/team'))?.coverage;

  test('one that goes takes nothing from what is known of the others', async () => {
    const rig = rigWith();
    tell(rig, digestOfPolicy('uid-1', team(90).effective));
    expect(await covered(rig)).toMatchObject({ status: 'True' });
    rig.put('pods', 'db/uc', undefined);
    expect(await covered(rig)).toMatchObject({ status: 'True' });
  });

  test('nor does a policy that comes into force, or of which a namespace refuses the values', async () => {
    const rig = rigWith();
    await covered(rig);
    tell(rig, digestOfPolicy('uid-1', team(90).effective));
    const since = '2026-05-04T10:00:00Z';
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'Enforced',
      message: '',
      lastTransitionTime: since,
    };
    put(rig, 90, 'uid-1', { conditions: [{ ...ready, observedGeneration: 1 } as Condition] });
    rig.put('pods', 'db/uc', undefined);
    expect(await covered(rig)).toMatchObject({ status: 'True' });
  });

  test('nobody has told of a policy that was made again under the name of another', async () => {
    const rig = rigWith();
    tell(rig, digestOfPolicy('uid-1', team(900).effective));
    put(rig, 900, 'uid-1');
    expect(await covered(rig)).toMatchObject({ status: 'True' });
    rig.put('keepalivepolicies', 'db/team', undefined);
    put(rig, 30, 'uid-2');
    expect(await covered(rig)).toMatchObject({ status: 'Unknown', reason: 'AwaitingNodes' });
    tell(rig, digestOfPolicy('uid-2', team(30).effective));
    expect(await covered(rig)).toMatchObject({ status: 'True' });
  });

  describe('one of which was exposed', () => {
    const isExposed = (many: number) => ({
      status: 'False',
      message: expect.stringContaining(`Not covered: ${many} of `) as unknown,
    });
    const told = async (live: number, exposed = 3 - live) => {
      const rig = rigWith();
      tell(rig, digestOfPolicy('uid-1', team(90).effective), live, exposed);
      expect(await covered(rig)).toMatchObject(isExposed(exposed));
      return rig;
    };
    const come = (rig: Rig, name: string, phase?: string) => {
      rig.put('pods', `db/${name}`, {
        ...placed(name, 'db', phase),
        ...{ uid: `${name} anew`, agentReady: undefined },
      });
    };

    test('says nothing of the one that was made anew in its place', async () => {
      const rig = await told(2);
      rig.put('pods', 'db/ua', undefined);
      come(rig, 'ua');
      expect(await covered(rig)).toMatchObject({
        ...{ status: 'Unknown', reason: 'PodsPending' },
        message: expect.stringMatching(/^1 of 3 pods /) as unknown,
      });
    });

    test('leaves another exposed that was so too', async () => {
      const rig = await told(1);
      rig.put('pods', 'db/ua', undefined);
      come(rig, 'ua');
      expect(await covered(rig)).toMatchObject(isExposed(1));
    });

    test('says nothing of one that has started since', async () => {
      const rig = await told(1, 1);
      rig.put('pods', 'db/ua', undefined);
      come(rig, 'ua');
      expect(await covered(rig)).toMatchObject({ status: 'Unknown', reason: 'PodsPending' });
    });

    test.each(['Pending', 'Running'])('is so still when another comes (%s)', async (phase) => {
      const rig = await told(2);
      come(rig, 'ud', phase);
      expect(await covered(rig)).toMatchObject(isExposed(1));
    });

    test('where all of them were, leaves those exposed that are left when one goes', async () => {
      const rig = await told(0);
      rig.put('pods', 'db/ua', undefined);
      expect(await covered(rig)).toMatchObject(isExposed(2));
    });
  });
});

test('a policy that came once more, as with each write of its status, is no other: what is counted anew is counted to its end', async () => {
  const rig = new Rig();
  const put = (name: string, seconds: number, resourceVersion = '1') => {
    const policy = team(seconds, {}, name);
    const rest = { uid: 'u', resourceVersion, generation: 1, problems: undefined, status: {} };
    rig.put('keepalivepolicies', `db/${name}`, { ...policy, policy, ...rest });
  };
  put('x', 90);
  put('y', 30);
  rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
  expect(await rig.world.counts.settle('db/x', () => true)).toBe(true);
  put('x', 90, '2');
  rig.limit('50');
  expect(await rig.world.counts.settle('db/x', () => true)).toBe(true);
});

test('a static pod is nobody to bind on while the agent of its node is away, and is as soon as it is back', async () => {
  const rig = new Rig();
  const [loose, strict] = [team(90, {}, 'x'), team(30, {}, 'y')];
  for (const policy of [loose, strict]) {
    const rest = { uid: 'u', generation: 1, problems: undefined, status: {} };
    rig.put('keepalivepolicies', `db/${policy.name}`, { ...policy, policy, ...rest });
  }
  const mirror = pod({ annotations: { 'kubernetes.io/config.mirror': 'x' } });
  rig.put('pods', 'db/mirror', { ...mirror, uid: 'p', agentReady: undefined });
  rig.report('n1', []);
  const boundBy = async () => (await rig.kept('db/x'))?.findings.map(({ policy }) => policy).filter(Boolean);
  expect(await boundBy()).toEqual([]);
  const agent = { ...pod({ name: 'n1', namespace: home }), uid: 'a' };
  rig.put('pods', `${home}/n1`, { ...agent, agentReady: true });
  expect(await boundBy()).toEqual(['KeepalivePolicy db/y']);
  rig.put('pods', `${home}/n1`, { ...agent, agentReady: false });
  expect(await boundBy()).toEqual([]);
});

test('a look at the policy of a team leaves the pods of others alone, however many wait for a node', async () => {
  const rig = new Rig();
  const policy = team(90);
  rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
  const rest = { uid: 'u', generation: 1, problems: undefined, status: {} };
  rig.put('keepalivepolicies', 'db/team', { ...policy, policy, ...rest });
  const waiting = (name: string, namespace: string) => {
    const view = pod({ name, namespace, phase: 'Pending' });
    rig.put('pods', `${namespace}/${name}`, { ...view, uid: name, node: undefined, agentReady: undefined });
  };
  waiting('own', 'db');
  for (let at = 0; at < 500; at += 1) waiting(`other-${at}`, 'web');
  const expected = await rig.kept('db/team');
  const { pods } = rig.world;
  const asked: string[] = [];
  const get = pods.get.bind(pods);
  pods.get = (key) => {
    asked.push(key);
    return get(key);
  };
  expect(await rig.kept('db/team')).toEqual(expected);
  expect(expected?.findings).toMatchObject([{ reason: 'NotDeclared', pod: 'own' }]);
  expect([...new Set(asked)]).toEqual(['db/own']);
});
