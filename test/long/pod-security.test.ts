import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { Bench, ckap, condition, kap, sleeper } from '../e2e/shared.ts';

/** Distributions that are hardened by a guide ship such a file: namespaces need no label to be pinned. */
const admission = JSON.stringify({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'PodSecurity',
      configuration: {
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: { enforce: 'restricted', 'enforce-version': 'v1.28' },
        exemptions: { usernames: [], runtimeClasses: [], namespaces: ['kube-system'] },
      },
    },
  ],
});
const [byPlatform, unpinned] = ['by-platform', 'unpinned'];
let cluster: Cluster;
let bench: Bench;

beforeAll(async () => {
  cluster = await Cluster.up({ name: 'e2e-pod-security', nodes: 1, owned: true, admission });
  bench = new Bench(cluster);
  await cluster.install();
  await bench.namespace(byPlatform);
  await bench.namespace(unpinned, { 'pod-security.kubernetes.io/enforce': 'privileged' });
});
afterAll(() => cluster.down());

/** What Pod Security `restricted` lets pass. */
function restricted(namespace: string) {
  const { spec } = sleeper('main', namespace);
  const [main] = spec.containers;
  return {
    ...spec,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      { ...main, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
    ],
  };
}

/** Each kind tells in words of its own that it could not make its pod. */
function owner(kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job', namespace: string) {
  const name = kind.toLowerCase();
  const spec = restricted(namespace);
  const isJob = kind === 'Job';
  return {
    apiVersion: isJob ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: {
      ...(isJob ? {} : { selector: { matchLabels: { app: name } } }),
      template: {
        metadata: { labels: { app: name } },
        spec: isJob ? { ...spec, restartPolicy: 'Never' } : spec,
      },
    },
  };
}

async function comesToLife(namespace: string, name: string): Promise<void> {
  await until(
    `the pod of ${name} is ready`,
    async () =>
      (await cluster
        .kubectl('wait', 'pod', '-n', namespace, '-l', `app=${name}`, '--for=condition=Ready')
        .catch(() => '')) !== '',
    { timeoutMs: 90_000 },
  );
}

async function podOf(namespace: string, name: string) {
  const { items } = await bench.json<{
    items: readonly { metadata: { name: string }; spec: { securityContext: object } }[];
  }>('pods', '-n', namespace, '-l', `app=${name}`);
  expect(items).toHaveLength(1);
  return items[0];
}

describe.each(['Deployment', 'StatefulSet', 'DaemonSet', 'Job'] as const)('the pod of a %s', (kind) => {
  const namespace = `by-team-${kind.toLowerCase()}`;
  const team = { kind: 'kap', name: 'team', namespace } as const;
  beforeAll(async () => {
    await bench.namespace(namespace);
    await bench.apply(kap(namespace, 'team', 90));
    await bench.status(team);
    await bench.apply(owner(kind, namespace));
    await comesToLife(namespace, kind.toLowerCase());
  });

  test('comes to life without the values, gets them from the agent, and the status names Pod Security', async () => {
    const pod = await podOf(namespace, kind.toLowerCase());
    expect(pod?.spec.securityContext).not.toHaveProperty('sysctls');
    await bench.untilValuesIn(pod?.metadata.name ?? '', namespace, '30/10/6');
    const status = await bench.status(team, (s) => condition(s, 'Covered')?.status === 'True', 120_000);
    expect(status.refusals).toMatchObject([{ admission: 'Withheld', by: 'PodSecurity restricted:v1.28' }]);
    expect(status.refusals?.[0]?.message).toContain('net.ipv4.tcp_keepalive_time');
    expect(status.findings?.map(({ reason }) => reason)).toContain('AdmissionRefused');
    expect(condition(status, 'Ready')).toMatchObject({ status: 'True', reason: 'Enforced' });
  });
});

test('a policy of the cluster gives way where Pod Security is pinned by default, and nowhere else', async () => {
  await bench.apply(
    ckap('platform', 90, {
      namespaceSelector: {
        matchExpressions: [
          { key: 'kubernetes.io/metadata.name', operator: 'In', values: [byPlatform, unpinned] },
        ],
      },
    }),
  );
  await bench.status({ kind: 'ckap', name: 'platform' });
  await bench.apply(owner('Deployment', byPlatform), owner('Deployment', unpinned));
  for (const namespace of [byPlatform, unpinned]) await comesToLife(namespace, 'deployment');
  expect((await podOf(byPlatform, 'deployment'))?.spec.securityContext).not.toHaveProperty('sysctls');
  expect((await podOf(unpinned, 'deployment'))?.spec.securityContext).toHaveProperty('sysctls');
  const status = await bench.status({ kind: 'ckap', name: 'platform' }, (s) => s.pods?.live === 2, 60_000);
  expect(status.refusals?.map(({ namespace }) => namespace)).toEqual([byPlatform]);
});
