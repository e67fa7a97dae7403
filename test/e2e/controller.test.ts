import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import { Bench, ckap, condition, isReady, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-controller';
const system = 'keepalive-system';
const admissionPolicy = 'keepalivepolicy.keepalive.dev';

interface EventList {
  readonly items: readonly {
    readonly reason: string;
    readonly type: string;
    readonly regarding: { readonly name: string };
  }[];
}
const eventsOf = async (name: string, of = namespace) =>
  (await bench.json<EventList>('events.events.k8s.io', '-n', of)).items
    .filter(({ regarding }) => regarding.name === name)
    .map(({ type, reason }) => `${type} ${reason}`)
    .sort();

/** Selects no pod, so that no agent has anything to say of it. */
const ofNobody = { podSelector: { matchLabels: { app: 'nobody' } } };

/** Writes that the controllers made so far, as the API server counted them: no body, no clock, no guess. */
async function statusWrites(): Promise<number> {
  const metrics = await bench.cluster.kubectl('get', '--raw', '/metrics');
  return [
    ...metrics.matchAll(
      /^apiserver_request_total\{.*group="keepalive\.dev".*resource="(?:cluster)?keepalivepolicies".*subresource="status".*\} (\d+)$/gm,
    ),
  ]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0);
}

beforeAll(() => bench.namespace(namespace));
afterAll(async () => {
  await bench.cluster.kubectl('delete', 'ckap', '--all');
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
});

describe('the status', () => {
  test('counts pods: those that started before, those that declare, those that are left as they are', async () => {
    await bench.apply(sleeper('before', namespace));
    await bench.apply(kap(namespace, 'counted', 90));
    await bench.status({ kind: 'kap', name: 'counted', namespace });
    await bench.apply(
      sleeper('after', namespace),
      sleeper('skipped', namespace, { labels: { 'keepalive.dev/skip': 'true' } }),
      sleeper('own', namespace, { spec: { securityContext: { sysctls: sysctls(5, 2, 3) } } }),
      sleeper('host', namespace, { spec: { hostNetwork: true } }),
    );
    const status = await bench.status(
      { kind: 'kap', name: 'counted', namespace },
      (s) => s.pods?.selected === 5 && s.pods.live === 3 && s.pods.skipped === 2,
    );
    expect(status).toMatchObject({
      effective: {
        idleTimeoutSeconds: 90,
        limitedBy: 'nat',
        timeSeconds: 30,
        intervalSeconds: 10,
        probes: 6,
      },
      pods: {
        selected: 5,
        declared: 2,
        live: 3,
        skipped: 2,
        skippedBy: [
          { reason: 'SkipLabel', count: 1 },
          { reason: 'HostNetwork', count: 1 },
        ],
        summary: '3/5',
      },
      findingsTotal: 2,
      findings: [
        { reason: 'HostNetwork', pod: 'host' },
        { reason: 'SkipLabel', pod: 'skipped' },
      ],
    });
    expect(condition(status, 'Ready')).toMatchObject({ status: 'True', reason: 'Enforced' });
    expect(condition(status, 'Reconciling')).toBeUndefined();
  });

  test('follows pods that go', async () => {
    await bench.cluster.kubectl('delete', 'pod', '-n', namespace, '--all', '--grace-period=0', '--force');
    await bench.status({ kind: 'kap', name: 'counted', namespace }, (s) => s.pods?.selected === 0);
  });

  test('names the policy that binds where two select a pod', async () => {
    await bench.apply(kap(namespace, 'stricter', 45, { podSelector: { matchLabels: { app: 'mongo' } } }));
    await bench.status({ kind: 'kap', name: 'stricter', namespace });
    await bench.apply(sleeper('mongo', namespace, { labels: { app: 'mongo' } }));
    const status = await bench.status(
      { kind: 'kap', name: 'counted', namespace },
      // What a node said of pods that are gone stays until it reports again.
      (s) => s.findingsTotal === 1 && s.findings?.[0]?.reason === 'StricterPolicy',
    );
    expect(status.findings).toMatchObject([
      { reason: 'StricterPolicy', policy: `KeepalivePolicy ${namespace}/stricter` },
    ]);
    await bench.cluster.kubectl('delete', 'kap', 'stricter', '-n', namespace);
    await bench.status({ kind: 'kap', name: 'counted', namespace }, (s) => s.findingsTotal === undefined);
  });

  test('speaks of a new spec only once it is taken up, and is then Ready again', async () => {
    await bench.apply(kap(namespace, 'counted', 60));
    const status = await bench.status({ kind: 'kap', name: 'counted', namespace });
    expect(status.effective).toMatchObject({ idleTimeoutSeconds: 60, timeSeconds: 20 });
    expect(await bench.dryRun(sleeper('now', namespace))).toEqual(sysctls(20, 7, 6));
  });

  test('says in an Audit that nothing is changed', async () => {
    await bench.apply(kap(namespace, 'audited', 90, { mode: 'Audit' }));
    const status = await bench.status({ kind: 'kap', name: 'audited', namespace });
    expect(condition(status, 'Ready')).toMatchObject({ reason: 'Audited' });
  });

  test('is not written again while nothing changes', async () => {
    // What runs in pods changes by itself, and agents report on it in their own time: these policies have none.
    await bench.cluster.kubectl('delete', 'kap', '--all', '-n', namespace);
    await bench.apply(
      kap(namespace, 'quiet', 90, ofNobody),
      ckap('quiet', 90, { ...ofNobody, mode: 'Audit' }),
    );
    await bench.status({ kind: 'kap', name: 'quiet', namespace });
    await bench.status({ kind: 'ckap', name: 'quiet' });
    const before = await statusWrites();
    // A label that no selector reads makes every policy be looked at; a policy made after is looked at after it.
    await bench.cluster.kubectl('label', 'namespace', namespace, 'irrelevant=yes');
    await bench.apply(kap(namespace, 'marker', 90, ofNobody));
    await bench.status({ kind: 'kap', name: 'marker', namespace });
    // The marker alone was written: Activating, then Enforced.
    expect(await statusWrites()).toBe(before + 2);
  });

  test('comes with an event for each transition and for nothing else', async () => {
    expect(await eventsOf('quiet')).toEqual(['Normal Enforced']);
  });
});

test('a cluster policy with empty parts in its selectors is Ready and stays it', async () => {
  const empty = { matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'Exists', values: [] }] };
  await bench.apply(ckap('empty', 90, { podSelector: empty, namespaceSelector: empty }));
  await bench.status({ kind: 'ckap', name: 'empty' });
  const before = await statusWrites();
  await bench.apply(kap(namespace, 'marker-two', 90, ofNobody));
  await bench.status({ kind: 'kap', name: 'marker-two', namespace });
  expect(await statusWrites()).toBe(before + 2);
  expect(await eventsOf('empty', 'default')).toEqual(['Normal Enforced']);
});

describe('a binding that somebody else writes', () => {
  const binding = 'repaired.clusterkeepalivepolicy.keepalive.dev';
  interface Binding {
    readonly metadata: { readonly uid: string };
    readonly spec: {
      readonly policyName: string;
      readonly matchResources: { readonly objectSelector: unknown };
    };
  }

  test('is put right, with an event', async () => {
    await bench.apply(ckap('repaired', 90, { podSelector: { matchLabels: { app: 'mongo' } } }));
    await bench.status({ kind: 'ckap', name: 'repaired' });
    await bench.cluster.kubectl(
      ...['patch', 'mutatingadmissionpolicybinding', binding, '--type=merge', '-p'],
      JSON.stringify({ spec: { matchResources: { objectSelector: { matchLabels: { app: 'other' } } } } }),
    );
    await until('the selector is back', async () => {
      const { spec } = await bench.json<Binding>('mutatingadmissionpolicybinding', binding);
      return JSON.stringify(spec.matchResources.objectSelector) === '{"matchLabels":{"app":"mongo"}}';
    });
    await until('the event is there', async () =>
      (await eventsOf('repaired', 'default')).includes('Warning BindingRepaired'),
    );
  });

  test('comes back when it is deleted', async () => {
    const before = await bench.json<Binding>('mutatingadmissionpolicybinding', binding);
    await bench.cluster.kubectl('delete', 'mutatingadmissionpolicybinding', binding);
    await until('it is there again', () => bench.exists('mutatingadmissionpolicybinding', binding));
    const after = await bench.json<Binding>('mutatingadmissionpolicybinding', binding);
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    await bench.status({ kind: 'ckap', name: 'repaired' });
  });
});

describe('what the installation needs', () => {
  test('its absence is waited for, and says what to do; once it is back the policy is Ready', async () => {
    await bench.apply(kap(namespace, 'lacking', 90));
    await bench.status({ kind: 'kap', name: 'lacking', namespace });
    await bench.cluster.kubectl('delete', 'mutatingadmissionpolicy', admissionPolicy);
    const isAwaited = (status: PolicyStatus) =>
      condition(status, 'Reconciling')?.reason === 'AdmissionMissing';
    const status = await bench.status({ kind: 'kap', name: 'lacking', namespace }, isAwaited);
    expect(condition(status, 'Reconciling')?.message).toBe(
      `MutatingAdmissionPolicy ${admissionPolicy} is not installed yet, so no new pod is changed: in an installation that ` +
        'passes by itself; otherwise install the operator again (docs/runbook.md#install-it-again)',
    );
    expect(condition(status, 'Ready')?.status).toBe('False');
    await bench.cluster.kubectl('apply', '-f', join(repository, 'deploy/admission.yaml'));
    await bench.status({ kind: 'kap', name: 'lacking', namespace });
  });
});

describe('the controller', () => {
  const leader = async () =>
    (await bench.json<{ spec: { holderIdentity: string } }>('lease', 'keepalive-controller', '-n', system))
      .spec.holderIdentity;

  test('hands the lead over when its leader is told to end', async () => {
    const before = await leader();
    await bench.cluster.kubectl('delete', 'pod', '-n', system, before, '--wait=false');
    await until('another leads', async () => {
      const holder = await leader();
      return holder !== '' && holder !== before;
    });
    await bench.apply(kap(namespace, 'after-handover', 90));
    await bench.status({ kind: 'kap', name: 'after-handover', namespace });
  });

  test('goes on where one that was killed between two writes left off', async () => {
    // The state between the two writes, made by hand: a binding without the status that tells of it.
    await bench.cluster.kubectl('scale', '-n', system, 'deployment/keepalive-controller', '--replicas=0');
    await bench.cluster.kubectl('wait', '-n', system, 'pod', '--all', '--for=delete', '--timeout=60s');
    await bench.apply(ckap('unfinished', 18));
    const { metadata } = await bench.policy({ kind: 'ckap', name: 'unfinished' });
    await bench.apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: {
        name: 'unfinished.clusterkeepalivepolicy.keepalive.dev',
        ownerReferences: [
          {
            apiVersion: 'keepalive.dev/v1alpha1',
            kind: 'ClusterKeepalivePolicy',
            name: 'unfinished',
            uid: metadata.uid,
            controller: true,
          },
        ],
      },
      spec: {
        policyName: 'clusterkeepalivepolicy.keepalive.dev',
        paramRef: { name: 'unfinished', parameterNotFoundAction: 'Allow' },
      },
    });
    await bench.cluster.kubectl('scale', '-n', system, 'deployment/keepalive-controller', '--replicas=2');
    await bench.status({ kind: 'ckap', name: 'unfinished' }, isReady, 60_000);
    expect(await bench.dryRun(sleeper('covered', namespace))).toEqual(sysctls(6, 2, 6));
  });

  test('may do what it needs and nothing else', async () => {
    const may = async (...question: string[]) =>
      (
        await bench.cluster.exec([
          'kubectl',
          'auth',
          'can-i',
          ...question,
          `--as=system:serviceaccount:${system}:keepalive-controller`,
        ])
      ).code === 0;
    expect(await may('patch', 'keepalivepolicies.keepalive.dev', '--subresource=status', '-A')).toBe(true);
    for (const [verb, resource] of [
      ['update', 'keepalivepolicies.keepalive.dev'],
      ['delete', 'clusterkeepalivepolicies.keepalive.dev'],
      ['patch', 'pods'],
      ['create', 'pods'],
      ['get', 'secrets'],
      ['list', 'configmaps'],
      ['update', 'configmaps'],
      ['update', 'mutatingadmissionpolicies.admissionregistration.k8s.io'],
      ['create', 'clusterrolebindings.rbac.authorization.k8s.io'],
    ] as const) {
      expect([verb, resource, await may(verb, resource, '-A')]).toEqual([verb, resource, false]);
    }
  });
});

test('a binding whose policy is gone, and which ownership did not take along, is removed', async () => {
  const name = 'nobody.clusterkeepalivepolicy.keepalive.dev';
  await bench.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: {
      policyName: 'clusterkeepalivepolicy.keepalive.dev',
      paramRef: { name: 'nobody', parameterNotFoundAction: 'Allow' },
    },
  });
  await until('it is gone', async () => !(await bench.exists('mutatingadmissionpolicybinding', name)));
});
