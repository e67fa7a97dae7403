import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import type { Bench } from './shared.ts';
import { ckap, condition, isReady, kap, sleeper } from './shared.ts';

let bench: Bench;
const [refusing, other, tenant] = ['e2e-refusing', 'e2e-not-refusing', 'e2e-claimant'];
const team = { kind: 'kap', name: 'team', namespace: refusing } as const;
const platform = { kind: 'ckap', name: 'platform' } as const;
const refuser = 'no-keepalive-sysctls';
const words = 'sysctls outside the list of this cluster are refused';

/** Stands for whatever an administrator has against sysctls, in one namespace. */
const rule = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: refuser },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
      },
      validations: [
        {
          expression:
            "object.spec.?securityContext.?sysctls.orValue([]).all(s, !s.name.startsWith('net.ipv4.tcp_keepalive_'))",
          message: words,
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: refuser },
    spec: {
      policyName: refuser,
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': refusing } } },
    },
  },
];

function deployment(name: string) {
  const { spec } = sleeper(name, refusing);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: refusing },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec },
    },
  };
}

const finding = ({ findings = [] }: PolicyStatus) =>
  findings.find(({ reason }) => reason === 'AdmissionRefused');
const isWithheldIn = (namespace: string) => (status: PolicyStatus) =>
  status.refusals?.some((one) => one.namespace === namespace && one.admission === 'Withheld') === true;
/** Refused pods are made again by whoever owns them, later and later: after half a minute at most where it is over. */
const comesToLife = (name: string) =>
  bench.cluster.kubectl('rollout', 'status', `deployment/${name}`, '-n', refusing, '--timeout=60s');
const given = async (namespace: string) => (await bench.dryRun(sleeper('new', namespace))).length > 0;

/** By a dry run of what is refused in earnest. */
async function untilRefused(isRefused = true): Promise<void> {
  const { spec, ...pod } = sleeper('new', refusing);
  const withValues = { ...pod, spec: { ...spec, securityContext: { sysctls: sysctls() } } };
  await until(`pods with the values are ${isRefused ? '' : 'not '}refused`, async () => {
    const said = await bench.dryRun(withValues).catch((error: unknown) => String(error));
    return (typeof said === 'string' && said.includes(words)) === isRefused;
  });
}

async function podsOf(name: string): Promise<string[]> {
  const { items } = await bench.json<{
    items: readonly { metadata: { name: string }; spec: { securityContext?: object } }[];
  }>(...['pods', '-n', refusing, '-l', `app=${name}`]);
  // Whatever else is there, no value of ours is.
  for (const { spec } of items) expect(spec.securityContext ?? {}).not.toHaveProperty('sysctls');
  return items.map(({ metadata }) => metadata.name);
}

/** Of whatever changes pods: where something else refuses its values, it gives way. */
export function refusalTests(benchOf: () => Bench): void {
  beforeAll(async () => {
    bench = benchOf();
    await bench.namespace(refusing);
    await bench.namespace(other);
    await bench.apply(...rule);
    await untilRefused();
  });
  afterAll(async () => {
    await bench.cluster.kubectl('delete', 'ckap', '--all');
    await bench.cluster.kubectl(
      'delete',
      ...['validatingadmissionpolicy', 'validatingadmissionpolicybinding'].flatMap((kind) => [
        `${kind}/${refuser}`,
      ]),
      '--ignore-not-found',
    );
    await bench.cluster.kubectl(
      'delete',
      'namespace',
      refusing,
      other,
      tenant,
      '--ignore-not-found',
      '--wait=false',
    );
  });

  describe('where a ValidatingAdmissionPolicy refuses the values of a KeepalivePolicy', () => {
    let status: PolicyStatus;
    beforeAll(async () => {
      await bench.apply(kap(refusing, 'team', 90));
      await bench.status(team);
      await bench.apply(deployment('by-team'));
      await comesToLife('by-team');
      status = await bench.status(
        team,
        (s) => isWithheldIn(refusing)(s) && condition(s, 'Covered')?.status === 'True',
        90_000,
      );
    });

    test('pods come to life without them, and get them from the agent', async () => {
      const pods = await podsOf('by-team');
      expect(pods).toHaveLength(2);
      for (const pod of pods) expect(await bench.valuesIn(pod, refusing)).toBe('30/10/6');
      expect(status.pods).toMatchObject({ selected: 2, declared: 0, live: 2 });
    });

    test('the status says by whom, in which words, and what Ready means meanwhile', () => {
      expect(status.refusals).toMatchObject([
        {
          namespace: refusing,
          admission: 'Withheld',
          times: 1,
          by: `ValidatingAdmissionPolicy ${refuser}`,
          message: words,
        },
      ]);
      expect(finding(status)?.message).toContain(
        `ValidatingAdmissionPolicy ${refuser} refuses pods with the values here: "${words}"`,
      );
      expect(condition(status, 'Ready')).toMatchObject({ status: 'True', reason: 'Enforced' });
      expect(condition(status, 'Ready')?.message).toContain('New pods get them only once they run');
      expect(status.findings?.map(({ reason }) => reason)).not.toContain('MissedByAdmission');
    });

    test('an event of the policy says so too', async () => {
      const events = await bench.cluster.kubectl(
        'get',
        'events',
        '-n',
        refusing,
        '--field-selector',
        'reason=AdmissionRefused',
      );
      expect(events).toContain(words);
    });

    test('a policy that changes is tried again, and refused again', async () => {
      await bench.apply(kap(refusing, 'team', 60));
      await bench.status(team, (s) => isReady(s) && s.refusals?.[0]?.admission === 'Active');
      await bench.apply(deployment('by-changed'));
      await comesToLife('by-changed');
      const changed = await bench.status(team, isWithheldIn(refusing));
      expect(changed.refusals).toMatchObject([{ times: 2 }]);
      for (const pod of await podsOf('by-changed')) await bench.untilValuesIn(pod, refusing, '20/7/6');
    });

    test('what else keeps a pod from being made withholds nothing', async () => {
      await bench.cluster.kubectl('create', 'quota', 'none', '-n', other, '--hard=pods=0');
      // It refuses nobody before it was counted.
      await until('the quota counts', async () => {
        const { status } = await bench.json<{ status?: { hard?: object } }>('quota', 'none', '-n', other);
        return status?.hard !== undefined;
      });
      await bench.apply(kap(other, 'team', 90));
      await bench.status({ ...team, namespace: other });
      const blocked = deployment('blocked');
      await bench.apply({ ...blocked, metadata: { name: 'blocked', namespace: other } });
      await until('it is refused', async () =>
        (await bench.cluster.kubectl('get', 'events', '-n', other)).includes('exceeded quota'),
      );
      await bench.cluster.kubectl('delete', 'quota', 'none', '-n', other);
      await bench.cluster.kubectl('rollout', 'status', 'deployment/blocked', '-n', other, '--timeout=120s');
      // The look that counts its pods is one after the refusal was heard of.
      const looked = await bench.status({ ...team, namespace: other }, (s) => s.pods?.live === 2);
      expect(looked).not.toHaveProperty('refusals');
      expect(await given(other)).toBe(true);
      await bench.cluster.kubectl('delete', 'deployment/blocked', 'kap/team', '-n', other);
      await bench.cluster.kubectl('delete', 'deployment', '--all', '-n', refusing);
      await bench.cluster.kubectl('delete', 'kap', 'team', '-n', refusing);
    });
  });

  describe('where it refuses those of a ClusterKeepalivePolicy', () => {
    beforeAll(async () => {
      // Of the cluster's own namespaces nobody is to be refused because of a test.
      const matchExpressions = [
        { key: 'kubernetes.io/metadata.name', operator: 'In', values: [refusing, other, tenant] },
      ];
      await bench.apply(ckap('platform', 90, { namespaceSelector: { matchExpressions } }));
      await bench.status(platform);
      await bench.apply(deployment('by-platform'));
      await comesToLife('by-platform');
    });

    test('pods there come to life and get them from the agent, and pods elsewhere are given them as before', async () => {
      const status = await bench.status(platform, isWithheldIn(refusing));
      expect(finding(status)).toMatchObject({ namespace: refusing });
      expect(condition(status, 'Ready')?.message).toContain(
        `New pods in ${refusing} get them only once they run`,
      );
      for (const pod of await podsOf('by-platform')) await bench.untilValuesIn(pod, refusing, '30/10/6');
      expect(await bench.dryRun(sleeper('new', other))).toEqual(sysctls());
      expect(await given(refusing)).toBe(false);
    });

    test('a tenant who invents a refusal withholds it from himself alone', async () => {
      await bench.namespace(tenant);
      await bench.cluster.kubectl('create', 'serviceaccount', 'tenant', '-n', tenant);
      await bench.cluster.kubectl(
        ...[
          'create',
          'rolebinding',
          'tenant',
          '-n',
          tenant,
          '--clusterrole=edit',
          `--serviceaccount=${tenant}:tenant`,
        ],
      );
      const token = (await bench.cluster.kubectl('create', 'token', 'tenant', '-n', tenant)).trim();
      const forge = (namespace: string, about = namespace) =>
        bench.askAs(
          token,
          JSON.stringify({
            ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: 'forged', namespace } },
            ...{ type: 'Warning', reason: 'FailedCreate', reportingComponent: 'replicaset-controller' },
            involvedObject: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'any', namespace: about },
            lastTimestamp: new Date().toISOString().replace(/[.]\d+/, ''),
            message:
              'Error creating: pods "any" is forbidden: violates PodSecurity "any": forbidden sysctls (net.ipv4.tcp_keepalive_time)',
          }),
          ...['create', '-f', '-'],
        );
      expect((await forge(other)).stderr).toContain('forbidden');
      expect((await forge(tenant, other)).stderr).toContain('does not match event.namespace');
      expect(await given(tenant)).toBe(true);
      expect((await forge(tenant)).code).toBe(0);
      const status = await bench.status(platform, isWithheldIn(tenant));
      await until('he is given no values', async () => !(await given(tenant)));
      expect(status.refusals?.map((one) => one.namespace)).toEqual([tenant, refusing].sort());
      expect(await bench.dryRun(sleeper('new', other))).toEqual(sysctls());
      // What runs there is covered all the same.
      await bench.start(sleeper('his', tenant));
      await bench.untilValuesIn('his', tenant, '30/10/6');
    });

    test('where nothing refuses them any more, a policy that changes gives them again', async () => {
      await bench.cluster.kubectl('delete', 'validatingadmissionpolicybinding', refuser);
      const { metadata, spec } = await bench.policy(platform);
      await bench.cluster.kubectl('annotate', 'ckap', 'platform', 'example.com/note=no-change-of-the-spec');
      expect((await bench.policy(platform)).metadata.generation).toBe(metadata.generation);
      // A policy that is made after it is looked at after it.
      await bench.apply(kap(other, 'marker', 90));
      await bench.status({ kind: 'kap', name: 'marker', namespace: other });
      expect(await given(refusing)).toBe(false);
      await bench.cluster.kubectl('delete', 'kap', 'marker', '-n', other);
      await untilRefused(false);
      await bench.apply({ ...ckap('platform', 60), spec: { ...spec, path: ckap('platform', 60).spec.path } });
      await bench.status(platform, (s) => isReady(s) && !isWithheldIn(refusing)(s));
      await bench.start(sleeper('given', refusing));
      expect(await bench.valuesIn('given', refusing)).toBe('20/7/6');
      const { spec: pod } = await bench.json<{ spec: { securityContext: unknown } }>(
        'pod',
        'given',
        '-n',
        refusing,
      );
      expect(pod.securityContext).toEqual({ sysctls: sysctls(20, 7, 6) });
    });
  });
}
