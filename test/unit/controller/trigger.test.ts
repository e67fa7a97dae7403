import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { WorkQueue } from '../../../src/kube/queue.ts';
import { clusterBindingName } from '../../../src/policy/admission.ts';
import { awaited } from '../../../src/policy/evidence.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import type { Contribution } from '../../../src/policy/contribution.ts';
import { contributionOf, Contributions } from '../../../src/policy/contribution.ts';
import type { StoredBinding, StoredReport } from '../../../src/controller/record.ts';
import { Triggers } from '../../../src/controller/trigger.ts';
import { World } from '../../../src/controller/world.ts';
import type { PodSketch } from '../../support/builder.ts';
import { platform, pod, team } from '../../support/builder.ts';
import { until } from '../../cluster/wait.ts';
import { HandClock } from '../kube/hand-clock.ts';
import { notebook } from '../kube/world.ts';

const clusterWide = ['backbone', 'cloud'];
const everyone = ['db/a', 'db/b', 'web/c', ...clusterWide];

let world: World;
let triggers: Triggers;
/** What the queue was told: keys to look at now, and keys with the milliseconds to wait. */
let now: string[];
let later: Map<string, number>;

beforeEach(async () => {
  world = new World('keepalive-agent');
  now = [];
  later = new Map();
  triggers = new Triggers(world, {
    add: (key) => void now.push(key),
    addAfter: (key, ms) => void later.set(key, ms),
  });
  for (const key of everyone) put(key);
  for (const name of ['db', 'web']) world.namespaces.set(name, { uid: 'u1', name, labels: {} });
  triggers.start();
  // All of them are known and counted: what follows is a change.
  for (const key of everyone) await world.counts.settle(key, () => true);
  now.length = 0;
  later.clear();
});

const resourceOf = (key: string) => (key.includes('/') ? 'keepalivepolicies' : 'clusterkeepalivepolicies');

function put(key: string, rest: Partial<PolicyRecord> = {}): void {
  const [name = '', namespace = ''] = key.split('/').reverse();
  const stored = { namespace, name, uid: 'u1', generation: 1, problems: undefined, status: {}, ...rest };
  const record: PolicyRecord =
    namespace === ''
      ? { kind: 'ClusterKeepalivePolicy', policy: platform(90, {}, name), ...stored }
      : { kind: 'KeepalivePolicy', policy: team(90, {}, name, namespace), ...stored };
  const before = world.policy(key);
  world.policiesLike(key).set(key, record);
  triggers.changed(resourceOf(key), key, before);
}

function remove(key: string): void {
  const before = world.policy(key);
  world.policiesLike(key).delete(key);
  triggers.changed(resourceOf(key), key, before);
}

const waiting = () => [...later.keys()].sort();

test('a worker that is free begins at once, and looks at what an edited policy is by then', async () => {
  let looked: Promise<true | 'another'> | undefined;
  triggers = new Triggers(world, {
    add: (key) => void (looked = world.counts.settle(key, () => true as const)),
    addAfter: () => undefined,
  });
  triggers.start();
  await looked;
  put('db/a', { generation: 2, policy: team(45, {}, 'a', 'db') });
  // Not another, which leaves it to somebody who changed it since.
  expect(await looked).toBe(true);
  put('db/a', { generation: 3, policy: team(300, { podSelector: {} }, 'a', 'db') });
  expect(await looked).toBe(true);
});

test('a pod that something refuses concerns those that act in its namespace, and they see no other refusal of a team', () => {
  world.refused.note({ namespace: 'db', atMs: 1, by: 'x', words: 'sysctls' }, 1);
  triggers.refused('db');
  expect(waiting()).toEqual([...clusterWide, 'db/a', 'db/b']);
  const heardBy = (key: string) =>
    world
      .gather(key, { now: new Date(), activatingForMs: undefined, evidence: awaited })
      ?.heard.map(({ namespace }) => namespace);
  expect(['db/a', 'web/c', 'cloud'].map(heardBy)).toEqual([['db'], [], ['db']]);
});

test('that nothing is heard of some resource any more concerns everyone', () => {
  triggers.heardOtherwise();
  expect(waiting()).toEqual([...everyone].sort());
});

const settleAll = async () => {
  for (const key of everyone) await world.counts.settle(key, () => true);
  later.clear();
};

describe('a policy', () => {
  const stricter = { policy: team(45, {}, 'a', 'db') };

  test.each<[string, Partial<PolicyRecord>]>([
    ['with a new spec', { generation: 2, ...stricter }],
    ['deleted and made again between two looks', { uid: 'u2', ...stricter }],
  ])('%s is looked at now, and those instead of which it binds soon', (_sentence, change) => {
    put('db/a', change);
    expect(now).toEqual(['db/a']);
    expect(waiting()).toEqual([...clusterWide, 'db/b']);
  });

  test('that only got a new status wakes nobody else', () => {
    put('db/a', { status: { observedGeneration: 1 } });
    put('cloud', { status: { observedGeneration: 1 } });
    expect(now).toEqual(['db/a', 'cloud']);
    expect(waiting()).toEqual([]);
  });

  test('that is deleted concerns those instead of which it bound, once', async () => {
    put('db/a', stricter);
    await settleAll();
    remove('db/a');
    expect(waiting()).toEqual([...clusterWide, 'db/b']);
    await settleAll();
    triggers.changed('keepalivepolicies', 'db/a', undefined);
    expect(waiting()).toEqual([]);
  });

  test('that comes back as it was is a change again', async () => {
    put('db/a', stricter);
    remove('db/a');
    await settleAll();
    put('db/a', stricter);
    expect([now.at(-1), waiting()]).toEqual(['db/a', [...clusterWide, 'db/b']]);
  });
});

describe('a pod', () => {
  const change = (key: string, sketch: PodSketch | undefined) => {
    const before = world.pods.get(key);
    const [namespace = '', name = ''] = key.split('/');
    if (sketch === undefined) world.pods.delete(key);
    else world.pods.set(key, { uid: name, agentReady: undefined, ...pod({ name, namespace, ...sketch }) });
    triggers.changed('pods', key, before);
  };

  test.each<[string, string, string[]]>([
    ['concerns the policies of its namespace that select it, and those of the cluster', 'web/a', ['web/c']],
    ['where no team has a policy, those of the cluster', 'db/a', ['db/a', 'db/b']],
  ])('%s', (_sentence, key, ofTeams) => {
    change(key, {});
    expect([now, waiting()]).toEqual([[], [...clusterWide, ...ofTeams]]);
    later.clear();
    change(key, undefined);
    expect(waiting()).toEqual([...clusterWide, ...ofTeams]);
  });

  test('that has ended concerns nobody', () => {
    change('web/a', { phase: 'Succeeded' });
    expect(waiting()).toEqual([]);
  });

  test('of an agent concerns all where it is the first, and else those that select something on its node', () => {
    const agent = (node: string, agentReady: boolean) => {
      const key = `keepalive-agent/${node}`;
      const before = world.pods.get(key);
      const view = pod({ name: node, namespace: 'keepalive-agent', spec: { nodeName: node } });
      world.pods.set(key, { uid: node, ...view, agentReady });
      triggers.changed('pods', key, before);
    };
    change('web/a', { spec: { nodeName: 'n1' } });
    world.nodekeepalives.set('n1', {
      ...{ uid: 'u1', node: 'n1', version: '1', said: new Contributions(new Map()), shortened: new Map() },
    });
    later.clear();
    agent('n1', true);
    expect(waiting()).toEqual([...everyone].sort());
    later.clear();
    agent('n1', false);
    expect(waiting()).toEqual([...clusterWide, 'web/c']);
    later.clear();
    agent('n2', true);
    expect(waiting()).toEqual([]);
  });
});

describe('what else changes', () => {
  test('a namespace concerns those that select it by other labels than before', () => {
    put('labelled', {
      policy: platform(90, { namespaceSelector: { matchLabels: { a: 'b' } } }, 'labelled'),
    });
    later.clear();
    const before = world.namespaces.get('db');
    world.namespaces.set('db', { uid: 'u1', name: 'db', labels: { irrelevant: 'yes' } });
    triggers.changed('namespaces', 'db', before);
    expect(waiting()).toEqual([]);
  });

  test('an admission policy concerns all', () => {
    triggers.changed('mutatingadmissionpolicies', 'keepalivepolicy.keepalive.dev', undefined);
    expect(waiting()).toEqual([...everyone].sort());
  });

  test('the binding of a cluster policy concerns that policy, now', () => {
    triggers.changed(
      'mutatingadmissionpolicybindings',
      'cloud.clusterkeepalivepolicy.keepalive.dev',
      undefined,
    );
    expect([now, waiting()]).toEqual([['cloud'], []]);
  });

  test('the static binding concerns all', () => {
    triggers.changed('mutatingadmissionpolicybindings', 'keepalivepolicy.keepalive.dev', undefined);
    expect([now, waiting()]).toEqual([[], [...everyone].sort()]);
  });
});

describe('what a node reports', () => {
  const said = (name: string, live: number) =>
    contributionOf('n1', {
      ...{ kind: 'KeepalivePolicy', namespace: 'db', name, observedGeneration: 1, selected: 2, live },
    });
  const reports = (reported: ReadonlyMap<string, Contribution>, rest: Partial<StoredReport> = {}) => {
    const before = world.nodekeepalives.get('n1');
    const stored = { uid: 'u1', node: 'n1', version: String((version += 1)), shortened: new Map() };
    world.nodekeepalives.set('n1', { ...stored, said: new Contributions(reported), ...rest });
    triggers.changed('nodekeepalives', 'n1', before);
  };
  let version = 0;
  // That there is a report at all is told where no agent runs.
  beforeEach(() => {
    reports(new Map());
    later.clear();
  });
  const both = (liveOfA: number) =>
    new Map([
      ['db/a', said('a', liveOfA)],
      ['db/b', said('b', 2)],
    ]);

  test('concerns those of whom it says something new', () => {
    reports(both(1));
    expect(waiting()).toEqual(['db/a', 'db/b']);
    later.clear();
    reports(both(2));
    expect(waiting()).toEqual(['db/a']);
  });

  test('concerns those of whom it says nothing any more, of a node that is gone too', () => {
    reports(both(1));
    later.clear();
    reports(new Map([['db/b', said('b', 2)]]));
    expect(waiting()).toEqual(['db/a']);
    later.clear();
    const before = world.nodekeepalives.get('n1');
    world.nodekeepalives.delete('n1');
    triggers.changed('nodekeepalives', 'n1', before);
    expect(waiting()).toContain('db/b');
  });

  test('concerns all of a namespace, or all cluster policies, for which it begins or ceases to have room', () => {
    const short = { policies: 9, leftOut: 1 };
    reports(new Map(), { shortened: new Map([['db', short]]) });
    expect(waiting()).toEqual(['db/a', 'db/b']);
    later.clear();
    reports(new Map(), { shortened: new Map([['', short]]) });
    expect(waiting()).toEqual([...clusterWide, 'db/a', 'db/b']);
  });
});

describe('a replica that does not lead yet', () => {
  const bindingOf = (policy: string): StoredBinding => {
    const name = clusterBindingName(policy);
    return { name, uid: 'b', differs: undefined } as StoredBinding;
  };
  let looked: string[];
  let queue: WorkQueue;
  let clock: HandClock;
  beforeEach(() => {
    looked = [];
    clock = new HandClock();
    const work = (key: string) => {
      looked.push(key);
      return Promise.resolve(undefined);
    };
    world = new World('keepalive-agent');
    queue = new WorkQueue({ work, concurrency: 1, log: notebook().log, clock });
    triggers = new Triggers(world, queue);
  });
  afterEach(() => queue.stop());

  test('keeps no name of a policy that came and went', () => {
    for (let one = 0; one < 1_000; one += 1) {
      put(`preview-${one}/keepalive`);
      put(`preview-${one}`);
      triggers.changed('mutatingadmissionpolicybindings', clusterBindingName(`preview-${one}`), undefined);
      triggers.settingsChanged();
      triggers.refused(`preview-${one}`);
      clock.advance(60_000);
      remove(`preview-${one}/keepalive`);
      remove(`preview-${one}`);
    }
    expect(queue.depth).toBe(0);
  });

  test('looks at every policy when it leads, and at those that left a binding', async () => {
    put('db/a');
    put('cloud');
    put('gone');
    for (const policy of ['cloud', 'gone'])
      world.mutatingadmissionpolicybindings.set(clusterBindingName(policy), bindingOf(policy));
    world.mutatingadmissionpolicybindings.set('keepalivepolicy.keepalive.dev', bindingOf('static'));
    remove('gone');
    triggers.start();
    queue.start();
    await until('nothing waits', () => queue.depth === 0);
    expect(looked.sort()).toEqual(['cloud', 'db/a', 'gone']);
  });
});

test('settings that change make every policy be looked at, now', () => {
  triggers.settingsChanged();
  expect([now.sort(), waiting()]).toEqual([[...everyone].sort(), []]);
});
