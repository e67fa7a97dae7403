import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { Bench, condition, isReady, kap, sleeper } from '../e2e/shared.ts';
import { sysctls } from '../support/builder.ts';
import { buildKyverno, kyvernoBuildMs, startKyverno } from '../support/kyverno.ts';

let cluster: Cluster;
let bench: Bench;

beforeAll(async () => {
  await buildKyverno();
  cluster = await Cluster.up({ name: 'e2e-kyverno', nodes: 1, owned: true });
  bench = new Bench(cluster);
  await cluster.install();
  await startKyverno(cluster);
}, kyvernoBuildMs);
afterAll(() => cluster.down());

/** The rule `restrict-sysctls` of chart kyverno-policies 1.19.1, Pod Security Standards (Baseline), with Enforce. */
const clusterPolicy = {
  apiVersion: 'kyverno.io/v1',
  kind: 'ClusterPolicy',
  metadata: { name: 'restrict-sysctls' },
  spec: {
    background: false,
    rules: [
      {
        name: 'check-sysctls',
        match: { any: [{ resources: { kinds: ['Pod'] } }] },
        validate: {
          failureAction: 'Enforce',
          message:
            'Setting additional sysctls above the allowed type is disallowed. The field spec.securityContext.sysctls must be unset or not use any other names than kernel.shm_rmid_forced, net.ipv4.ip_local_port_range, net.ipv4.ip_unprivileged_port_start, net.ipv4.tcp_syncookies and net.ipv4.ping_group_range.',
          pattern: {
            spec: {
              '=(securityContext)': {
                '=(sysctls)': [
                  {
                    '=(name)':
                      'kernel.shm_rmid_forced | net.ipv4.ip_local_port_range | net.ipv4.ip_unprivileged_port_start | net.ipv4.tcp_syncookies | net.ipv4.ping_group_range',
                  },
                ],
              },
            },
          },
        },
      },
    ],
  },
};

/** The same in Kyverno's newer kind; its chart's own list has had keepalive since 1.19, an older copy in Git has not. */
const validatingPolicy = {
  apiVersion: 'policies.kyverno.io/v1beta1',
  kind: 'ValidatingPolicy',
  metadata: { name: 'restrict-sysctls' },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'] },
      ],
    },
    validations: [
      {
        expression:
          "!has(object.spec.securityContext) || !has(object.spec.securityContext.sysctls) || object.spec.securityContext.sysctls.all(s, s.name in ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start'])",
        message:
          'Sysctls must be restricted to safe values. The field spec.securityContext.sysctls[*].name must be one of the allowed safe sysctls.',
      },
    ],
    validationActions: ['Deny'],
  },
};

describe.each([
  { rule: clusterPolicy, by: 'webhook validate.kyverno.svc-fail', words: 'Setting additional sysctls' },
  {
    rule: validatingPolicy,
    by: 'webhook vpol.validate.kyverno.svc-fail',
    words: 'Sysctls must be restricted',
  },
])('where a $rule.kind of Kyverno 1.19 refuses the values everywhere', ({ rule, by, words }) => {
  const namespace = `by-${rule.kind.toLowerCase()}`;
  const team = { kind: 'kap', name: 'team', namespace } as const;
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: sleeper('web', namespace).spec },
    },
  };
  /** What Kyverno says to a pod that names the values itself; undefined where it lets it pass. */
  const said = async () => {
    const { spec, ...pod } = sleeper('new', namespace);
    const withValues = { ...pod, spec: { ...spec, securityContext: { sysctls: sysctls() } } };
    return bench.dryRun(withValues).then(
      () => undefined,
      (error: unknown) => String(error),
    );
  };

  beforeAll(async () => {
    await bench.namespace(namespace);
    // Kyverno's own webhook for its policies is there when it serves.
    await until('Kyverno takes the rule', () =>
      bench.apply(rule).then(
        () => true,
        () => false,
      ),
    );
    await until('Kyverno refuses', async () => (await said())?.includes(words));
    await bench.apply(kap(namespace, 'team', 90));
  });
  afterAll(async () => {
    await cluster.kubectl('delete', 'kap', 'team', '-n', namespace);
    await cluster.kubectl('delete', rule.kind.toLowerCase(), rule.metadata.name);
    await until('Kyverno lets pods pass', async () => (await said()) === undefined);
  });

  test('a policy is Ready, though the pod that stands in as its evidence is refused as well', async () => {
    expect(condition(await bench.status(team), 'Ready')).toMatchObject({ reason: 'Enforced' });
  });

  test('a pod comes to life without them, gets them from the agent, and the status has the words of Kyverno', async () => {
    await bench.apply(deployment);
    await cluster.kubectl('rollout', 'status', 'deployment/web', '-n', namespace, '--timeout=90s');
    const status = await bench.status(
      team,
      (s) => isReady(s) && condition(s, 'Covered')?.status === 'True',
      60_000,
    );
    expect(status.pods).toMatchObject({ selected: 1, declared: 0, live: 1 });
    expect(status.refusals).toMatchObject([{ namespace, admission: 'Withheld', by }]);
    expect(status.refusals?.[0]?.message).toContain(words);
    expect(status.findings?.map(({ reason }) => reason)).toContain('AdmissionRefused');
    const [pod] = (
      await bench.json<{ items: readonly { metadata: { name: string } }[] }>('pods', '-n', namespace)
    ).items;
    expect(await bench.valuesIn(pod?.metadata.name ?? '', namespace)).toBe('30/10/6');
  });
});
