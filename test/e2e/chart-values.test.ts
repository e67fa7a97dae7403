import { beforeAll, describe, expect, test } from '@jest/globals';

import product from '../../package.json' with { type: 'json' };
import { Base } from '../../scripts/chart/base.ts';
import { rowsOf } from '../../scripts/chart/value.ts';
import { chartValues } from '../../scripts/chart/values.ts';
import { buildHelms, buildMs, rendered } from '../support/helm.ts';
import type { Manifest } from '../support/manifest.ts';
import { byTitle, changes } from '../support/manifest.ts';

const only = 'Helm 4';
let usual: Record<string, Manifest>;
beforeAll(async () => {
  await buildHelms();
  usual = byTitle(await rendered(only));
}, buildMs);

const deployment = 'Deployment keepalive-system/keepalive-controller';
const daemonSet = 'DaemonSet keepalive-agent/keepalive-agent';
const settings = 'ConfigMap keepalive-system/keepalive-settings.data';
const quota = 'ResourceQuota keepalive-agent/keepalive-agent';
const budget = 'PodDisruptionBudget keepalive-system/keepalive-controller';
const ofPod = (workload: string) => `${workload}.spec.template.spec`;
const image = `keepalive.dev/keepalive-operator:${product.version}`;
const digest = `sha256:${'0'.repeat(64)}`;

/** Each value that some test here sets. */
const tried = new Set<string>();

/** The value as `--set-json` takes it, for what comes of it. */
function json(name: string, what: unknown): string[] {
  tried.add(name);
  return ['--set-json', `${name}=${JSON.stringify(what)}`];
}

/** What becomes of both pods. */
const bothPods = (field: string, before: unknown, after: unknown) =>
  Object.fromEntries(
    [deployment, daemonSet].map((workload) => [`${ofPod(workload)}.${field}`, [before, after]]),
  );
const bothImages = (after: string) => bothPods('containers.0.image', image, after);

describe('a value changes what it says and nothing else', () => {
  const labelled = json('commonLabels', { team: 'net' });
  const going = json('crds.keep', false);
  test.each<[what: string, args: string[], changed: Record<string, readonly unknown[]>]>([
    [
      'a registry',
      json('image.registry', 'r.io/team'),
      bothImages(`r.io/team/keepalive-operator:${product.version}`),
    ],
    ['no registry', json('image.registry', ''), bothImages(`keepalive-operator:${product.version}`)],
    ['a tag', json('image.tag', '7.7'), bothImages('keepalive.dev/keepalive-operator:7.7')],
    [
      'a digest',
      [...json('image.tag', '7.7'), ...json('image.digest', digest)],
      bothImages(`keepalive.dev/keepalive-operator@${digest}`),
    ],
    ['another name', json('image.repository', 'kp'), bothImages(`keepalive.dev/kp:${product.version}`)],
    [
      'a pull policy',
      json('image.pullPolicy', 'Always'),
      bothPods('containers.0.imagePullPolicy', 'IfNotPresent', 'Always'),
    ],
    [
      'a pull secret',
      json('imagePullSecrets', [{ name: 's' }]),
      bothPods('imagePullSecrets', undefined, [{ name: 's' }]),
    ],
    ['replicas', json('controller.replicas', 3), { [`${deployment}.spec.replicas`]: [2, 3] }],
    [
      'a budget of pods',
      json('controller.podDisruptionBudget.maxUnavailable', '50%'),
      { [`${budget}.spec.maxUnavailable`]: [1, '50%'] },
    ],
    [
      'a priority of the controller',
      json('controller.priorityClassName', 'high'),
      { [`${ofPod(deployment)}.priorityClassName`]: [undefined, 'high'] },
    ],
    [
      'a spread',
      json('controller.topologySpreadConstraints', [{ maxSkew: 1 }]),
      { [`${ofPod(deployment)}.topologySpreadConstraints`]: [undefined, [{ maxSkew: 1 }]] },
    ],
    [
      'memory',
      json('agent.resources.limits.memory', '1Gi'),
      { [`${ofPod(daemonSet)}.containers.0.resources.limits.memory`]: ['256Mi', '1Gi'] },
    ],
    [
      'tolerations of agents',
      json('agent.tolerations', []),
      { [`${ofPod(daemonSet)}.tolerations`]: [[{ operator: 'Exists' }], undefined] },
    ],
    [
      'their priority, of which the quota then speaks',
      json('agent.priorityClassName', 'high'),
      {
        [`${ofPod(daemonSet)}.priorityClassName`]: ['system-node-critical', 'high'],
        [`${quota}.spec.scopeSelector.matchExpressions.0.values.0`]: ['system-node-critical', 'high'],
      },
    ],
    [
      'room in the quota',
      json('agent.resourceQuota.pods', 20),
      { [`${quota}.spec.hard.pods`]: ['15k', '20'] },
    ],
    [
      'an update strategy',
      json('agent.updateStrategy.rollingUpdate.maxUnavailable', 1),
      { [`${daemonSet}.spec.updateStrategy.rollingUpdate.maxUnavailable`]: ['10%', 1] },
    ],
    [
      'an SELinux type',
      json('agent.seLinuxOptions.type', 'super_t'),
      { [`${ofPod(daemonSet)}.securityContext.seLinuxOptions.type`]: ['spc_t', 'super_t'] },
    ],
    [
      'no SELinux type',
      json('agent.seLinuxOptions', null),
      { [`${ofPod(daemonSet)}.securityContext.seLinuxOptions`]: [{ type: 'spc_t' }, undefined] },
    ],
    [
      'an AppArmor profile',
      json('agent.appArmorProfile', { type: 'Localhost', localhostProfile: 'k' }),
      {
        [`${ofPod(daemonSet)}.securityContext.appArmorProfile.type`]: ['Unconfined', 'Localhost'],
        [`${ofPod(daemonSet)}.securityContext.appArmorProfile.localhostProfile`]: [undefined, 'k'],
      },
    ],
    [
      'an argument',
      json('agent.extraArgs', ['--resync-seconds=10']),
      { [`${ofPod(daemonSet)}.containers.0.args.1`]: [undefined, '--resync-seconds=10'] },
    ],
    [
      'a variable',
      json('controller.extraEnv', [{ name: 'A', value: '1' }]),
      { [`${ofPod(deployment)}.containers.0.env.2`]: [undefined, { name: 'A', value: '1' }] },
    ],
    [
      'no annotations of pods',
      json('agent.podAnnotations', null),
      {
        [`${daemonSet}.spec.template.metadata.annotations`]: [
          { 'prometheus.io/port': '8080', 'prometheus.io/scrape': 'true' },
          undefined,
        ],
      },
    ],
    [
      'a limit',
      json('settings.smallestIdleTimeoutSeconds', 432_000),
      { [`${settings}.smallestIdleTimeoutSeconds`]: ['10', '432000'] },
    ],
    ['the switch', json('settings.acting', 'Audit'), { [`${settings}.acting`]: [undefined, 'Audit'] }],
    [
      'other limits',
      [
        ...json('settings.smallestIntervalSeconds', 5),
        ...json('settings.policiesPerNamespace', 0),
        ...json('settings.openConnections', 'Observe'),
      ],
      {
        [`${settings}.smallestIntervalSeconds`]: ['1', '5'],
        [`${settings}.policiesPerNamespace`]: ['50', '0'],
        [`${settings}.openConnections`]: ['Repair', 'Observe'],
      },
    ],
    [
      'what is said of the pods of each',
      [
        ...json('controller.podLabels', { team: 'a' }),
        ...json('controller.podAnnotations', { team: 'a' }),
        ...json('controller.extraArgs', ['--log-level=warn']),
        ...json('controller.resources.requests.cpu', '1'),
        ...json('controller.affinity', null),
        ...json('controller.tolerations', [{ key: 'a' }]),
        ...json('controller.nodeSelector', { a: 'b' }),
        ...json('agent.podLabels', { team: 'b' }),
        ...json('agent.extraEnv', [{ name: 'A', value: '1' }]),
        ...json('agent.affinity.nodeAffinity', null),
      ],
      {
        [`${deployment}.spec.template.metadata.labels.team`]: [undefined, 'a'],
        [`${deployment}.spec.template.metadata.annotations.team`]: [undefined, 'a'],
        [`${ofPod(deployment)}.containers.0.args.1`]: [undefined, '--log-level=warn'],
        [`${ofPod(deployment)}.containers.0.resources.requests.cpu`]: ['10m', '1'],
        [`${ofPod(deployment)}.affinity`]: [expect.anything(), undefined],
        [`${ofPod(deployment)}.tolerations`]: [undefined, [{ key: 'a' }]],
        [`${ofPod(deployment)}.nodeSelector.a`]: [undefined, 'b'],
        [`${daemonSet}.spec.template.metadata.labels.team`]: [undefined, 'b'],
        [`${ofPod(daemonSet)}.containers.0.env.4`]: [undefined, { name: 'A', value: '1' }],
        [`${ofPod(daemonSet)}.affinity`]: [expect.anything(), undefined],
      },
    ],
    ['something handed down', json('global', { imageRegistry: 'x' }), {}],
  ])('%s', async (_what, args, changed) => {
    expect(changes(usual, byTitle(await rendered(only, args)))).toEqual(changed);
  });

  test('a label is on every object, and in no pod and no selector', async () => {
    const found = changes(usual, byTitle(await rendered(only, labelled)));
    const everywhere = Object.keys(usual).map((title) => [
      `${title}.metadata.labels.team`,
      [undefined, 'net'],
    ]);
    expect(found).toEqual(Object.fromEntries(everywhere));
  });

  test('kinds that go with the release say nothing of staying', async () => {
    const found = changes(usual, byTitle(await rendered(only, going)));
    const annotated = Object.keys(usual).filter((title) => title.startsWith('CustomResourceDefinition'));
    expect(annotated).toHaveLength(3);
    expect(Object.keys(found)).toEqual(annotated.map((title) => `${title}.metadata.annotations`));
  });
});

describe('a value takes objects away, or adds some, and changes no other', () => {
  test.each<[what: string, args: string[], gone: (title: string) => boolean, added: string[]]>([
    ['no kinds', json('crds.enabled', false), (title) => title.startsWith('CustomResourceDefinition'), []],
    [
      'no budget of pods',
      json('controller.podDisruptionBudget.enabled', false),
      (title) => title === budget,
      [],
    ],
    ['no quota', json('agent.resourceQuota.enabled', false), (title) => title === quota, []],
    [
      'a namespace that is there',
      json('agent.createNamespace', false),
      (title) => title.startsWith('Namespace'),
      [],
    ],
    [
      'a PodMonitor for each',
      json('podMonitor.enabled', true),
      () => false,
      ['PodMonitor keepalive-agent/keepalive-agent', 'PodMonitor keepalive-system/keepalive-operator'],
    ],
    [
      'alerts',
      json('prometheusRule.enabled', true),
      () => false,
      ['PrometheusRule keepalive-system/keepalive-operator'],
    ],
    [
      'dashboards',
      json('dashboards.enabled', true),
      () => false,
      ['operator', 'policies'].map((name) => `ConfigMap keepalive-system/keepalive-${name}-dashboard`),
    ],
    [
      'network policies',
      json('networkPolicy.enabled', true),
      () => false,
      [
        'NetworkPolicy keepalive-agent/keepalive-agent',
        'NetworkPolicy keepalive-system/keepalive-controller',
      ],
    ],
  ])('%s', async (_what, args, isGone, added) => {
    const objects = byTitle(await rendered(only, args));
    const stays = Object.entries(usual).filter(([title]) => !isGone(title));
    const others = Object.fromEntries(Object.entries(objects).filter(([title]) => !added.includes(title)));
    expect(others).toEqual(Object.fromEntries(stays));
    expect(Object.keys(objects)).toHaveLength(stays.length + added.length);
  });
});

const peers = [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }];
const fenced = [
  ...json('networkPolicy.enabled', true),
  ...json('networkPolicy.metricsFrom', peers),
  ...json('networkPolicy.apiServerPorts', [8443]),
];
test('network policies let the metrics be read by who may, and the API server be asked', async () => {
  const objects = byTitle(await rendered(only, fenced));
  const podsOf = (component: string) => ({
    'app.kubernetes.io/name': 'keepalive-operator',
    'app.kubernetes.io/component': component,
  });
  for (const component of ['agent', 'controller'])
    expect(Object.values(objects)).toContainEqual(
      expect.objectContaining({
        kind: 'NetworkPolicy',
        spec: {
          podSelector: { matchLabels: podsOf(component) },
          policyTypes: ['Ingress', 'Egress'],
          ingress: [{ from: peers, ports: [{ protocol: 'TCP', port: 'http' }] }],
          egress: [{ ports: [{ protocol: 'TCP', port: 8443 }] }],
        },
      }),
    );
});

test('no value is left out here, but for those that components or other tests stand for', () => {
  // What is of another chart is tried with it, in chart-strict; the network of nodes in chart-platforms, ports in chart-ports.
  const placed = ['hostNetwork', 'metricsPort', 'webhookPort'].map((name) => `controller.${name}`);
  const components = [
    'admission',
    'enabled',
    'openshift.enabled',
    'agent.enabled',
    'agent.namespace',
    'agent.kernelOnly',
    'agent.nodeSelector',
  ];
  const labels = ['podMonitor', 'prometheusRule', 'dashboards'].map((part) => `${part}.labels`);
  const all = rowsOf(chartValues(new Base({}))).map(({ path }) => path);
  const untried = all.filter((path) => ![...tried].some((one) => `${one}.`.startsWith(`${path}.`)));
  expect(untried.sort()).toEqual([...placed, ...components, ...labels, 'podMonitor.interval'].sort());
});
