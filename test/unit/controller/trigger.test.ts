import { beforeEach, describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { awaited } from '../../../src/policy/evidence.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import type { StoredReport } from '../../../src/controller/record.ts';
import type { ResourceName } from '../../../src/controller/resource.ts';
import { Triggers } from '../../../src/controller/trigger.ts';
import { World } from '../../../src/controller/world.ts';
import { platform, team } from '../../support/builder.ts';

const clusterWide = ['backbone', 'cloud'];
const everyone = ['db/a', 'db/b', 'web/c', ...clusterWide];

let world: World;
let triggers: Triggers;
/** What the queue was told: keys to look at now, and keys with the milliseconds to wait. */
let now: string[];
let later: Map<string, number>;

beforeEach(() => {
  world = new World('keepalive-agent');
  now = [];
  later = new Map();
  triggers = new Triggers(
    world,
    {
      add: (key) => void now.push(key),
      addAfter: (key, ms) => void later.set(key, ms),
    },
    'keepalive-agent',
  );
  for (const key of everyone) put(key);
  // All of them are known: what follows is a change.
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
  world.policiesLike(key).set(key, record);
  triggers.changed(resourceOf(key), key);
}

function remove(key: string): void {
  world.policiesLike(key).delete(key);
  triggers.changed(resourceOf(key), key);
}

const waiting = () => [...later.keys()].sort();

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

describe('a policy', () => {
  test.each<[string, Partial<PolicyRecord>]>([
    ['with a new spec', { generation: 2 }],
    ['deleted and made again between two looks', { uid: 'u2' }],
  ])('%s is looked at now, and those that may select the same pods soon', (_sentence, change) => {
    put('db/a', change);
    expect(now).toEqual(['db/a']);
    expect(waiting()).toEqual([...clusterWide, 'db/a', 'db/b']);
  });

  test('of the cluster concerns all', () => {
    put('cloud', { generation: 2 });
    expect(now).toEqual(['cloud']);
    expect(waiting()).toEqual([...everyone].sort());
  });

  test('that only got a new status wakes nobody else', () => {
    put('db/a', { status: { observedGeneration: 1 } });
    put('cloud', { status: { observedGeneration: 1 } });
    expect(now).toEqual(['db/a', 'cloud']);
    expect(waiting()).toEqual([]);
  });

  test('that is deleted concerns those beside it, once', () => {
    remove('db/a');
    expect(waiting()).toEqual([...clusterWide, 'db/b']);
    later.clear();
    triggers.changed('keepalivepolicies', 'db/a');
    expect(waiting()).toEqual([]);
  });

  test('that comes back as it was is a change again', () => {
    remove('db/a');
    later.clear();
    put('db/a');
    expect(waiting()).toEqual([...clusterWide, 'db/a', 'db/b']);
  });
});

describe('what else changes', () => {
  test.each<[string, Exclude<ResourceName, 'configmaps'>, string, string[]]>([
    ['a pod concerns the policies of its namespace and of the cluster', 'pods', 'web/nginx-0', ['web/c']],
    ['a pod where no team has a policy, those of the cluster', 'pods', 'empty/x', []],
    ['a namespace, the same', 'namespaces', 'db', ['db/a', 'db/b']],
  ])('%s', (_sentence, resource, key, ofTeams) => {
    triggers.changed(resource, key);
    expect(now).toEqual([]);
    expect(waiting()).toEqual([...clusterWide, ...ofTeams]);
  });

  test('an admission policy concerns all', () => {
    triggers.changed('mutatingadmissionpolicies', 'keepalivepolicy.keepalive.dev');
    expect(waiting()).toEqual([...everyone].sort());
  });

  test('the binding of a cluster policy concerns that policy, now', () => {
    triggers.changed('mutatingadmissionpolicybindings', 'cloud.clusterkeepalivepolicy.keepalive.dev');
    expect([now, waiting()]).toEqual([['cloud'], []]);
  });

  test('the static binding concerns all', () => {
    triggers.changed('mutatingadmissionpolicybindings', 'keepalivepolicy.keepalive.dev');
    expect([now, waiting()]).toEqual([[], [...everyone].sort()]);
  });
});

describe('what a node reports', () => {
  const said = (name: string, live: number): NodePolicyReport => ({
    ...{ kind: 'KeepalivePolicy', namespace: 'db', name, observedGeneration: 1, selected: 2, live },
  });
  const reports = (rest: Partial<StoredReport>) => {
    const stored = { uid: 'u1', node: 'n1', reports: new Map(), shortened: new Map(), ...rest };
    world.nodekeepalives.set('n1', stored);
    triggers.changed('nodekeepalives', 'n1');
  };
  const both = (liveOfA: number) =>
    new Map([
      ['db/a', said('a', liveOfA)],
      ['db/b', said('b', 2)],
    ]);

  test('concerns those of whom it says something new', () => {
    reports({ reports: both(1) });
    expect(waiting()).toEqual(['db/a', 'db/b']);
    later.clear();
    reports({ reports: both(2) });
    expect(waiting()).toEqual(['db/a']);
  });

  test('concerns those of whom it says nothing any more, of a node that is gone too', () => {
    reports({ reports: both(1) });
    later.clear();
    reports({ reports: new Map([['db/b', said('b', 2)]]) });
    expect(waiting()).toEqual(['db/a']);
    later.clear();
    world.nodekeepalives.delete('n1');
    triggers.changed('nodekeepalives', 'n1');
    expect(waiting()).toEqual(['db/b']);
  });

  test('concerns all of a namespace, or all cluster policies, for which it begins or ceases to have room', () => {
    const short = { policies: 9, leftOut: 1 };
    reports({ shortened: new Map([['db', short]]) });
    expect(waiting()).toEqual(['db/a', 'db/b']);
    later.clear();
    reports({ shortened: new Map([['', short]]) });
    expect(waiting()).toEqual([...clusterWide, 'db/a', 'db/b']);
  });
});

describe('the wait', () => {
  test.each<[string, number | undefined, number]>([
    ['gathers a second of changes', undefined, 1000],
    ['is no shorter for a policy that costs little', 49, 1000],
    ['is twenty times what the last look cost', 60, 1200],
    ['is at most half a minute', 2000, 30_000],
  ])('%s', (_sentence, costMs, expected) => {
    if (costMs !== undefined) triggers.noteCost('db/a', costMs);
    triggers.changed('pods', 'db/mongo-0');
    expect(later.get('db/a')).toBe(expected);
    expect(later.get('db/b')).toBe(1000);
  });

  test('of a policy that was deleted is forgotten with it', () => {
    triggers.changed('keepalivepolicies', 'db/a');
    triggers.noteCost('db/a', 2000);
    world.policiesLike('db/a').delete('db/a');
    triggers.changed('keepalivepolicies', 'db/a');
    triggers.noteCost('db/a', 2000);
    put('db/a');
    later.clear();
    triggers.changed('pods', 'db/mongo-0');
    expect(later.get('db/a')).toBe(1000);
  });
});

test('settings that change make every policy be looked at, now', () => {
  triggers.settingsChanged();
  expect([now.sort(), waiting()]).toEqual([[...everyone].sort(), []]);
});
