import { join } from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';

import product from '../../package.json' with { type: 'json' };
import { chart, helmNames, rendered } from '../support/helm.ts';
import type { Manifest } from '../support/manifest.ts';
import { byTitle, changes } from '../support/manifest.ts';

const only = 'Helm 4';
let usual: Record<string, Manifest>;
beforeAll(async () => {
  usual = byTitle(await rendered(only));
}, 600_000);

const deployment = 'Deployment keepalive-system/keepalive-controller';
const daemonSet = 'DaemonSet keepalive-agent/keepalive-agent';
const settings = 'ConfigMap keepalive-system/keepalive-settings.data';
const quota = 'ResourceQuota keepalive-agent/keepalive-agent';
const budget = 'PodDisruptionBudget keepalive-system/keepalive-controller';
const ofPod = (workload: string) => `${workload}.spec.template.spec`;
const image = `keepalive.dev/keepalive-operator:${product.version}`;
const digest = `sha256:${'0'.repeat(64)}`;

/** The values as JSON, as in `--set-json`. */
const json = (name: string, what: unknown) => ['--set-json', `${name}=${JSON.stringify(what)}`];

/** What becomes of both pods. */
const bothPods = (field: string, before: unknown, after: unknown) =>
  Object.fromEntries(
    [deployment, daemonSet].map((workload) => [`${ofPod(workload)}.${field}`, [before, after]]),
  );
const bothImages = (after: string) => bothPods('containers.0.image', image, after);

describe('a value changes what it says and nothing else', () => {
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
      json('image', { tag: '7.7', digest }),
      bothImages(`keepalive.dev/keepalive-operator@${digest}`),
    ],
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
      'a toleration of the controller',
      json('controller.tolerations', [{ key: 'a' }]),
      { [`${ofPod(deployment)}.tolerations`]: [undefined, [{ key: 'a' }]] },
    ],
    [
      'nodes of the controller',
      json('controller.nodeSelector', { a: 'b' }),
      { [`${ofPod(deployment)}.nodeSelector`]: [undefined, { a: 'b' }] },
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
      'a label of pods',
      json('agent.podLabels', { team: 'a' }),
      { [`${daemonSet}.spec.template.metadata.labels.team`]: [undefined, 'a'] },
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
    ['something handed down', json('global', { imageRegistry: 'x' }), {}],
  ])('%s', async (_what, args, changed) => {
    expect(changes(usual, byTitle(await rendered(only, args)))).toEqual(changed);
  });

  test('a label is on every object, and in no pod and no selector', async () => {
    const found = changes(usual, byTitle(await rendered(only, json('commonLabels', { team: 'net' }))));
    const everywhere = Object.keys(usual).map((title) => [
      `${title}.metadata.labels.team`,
      [undefined, 'net'],
    ]);
    expect(found).toEqual(Object.fromEntries(everywhere));
  });

  test('kinds that go with the release say nothing of staying', async () => {
    const found = changes(usual, byTitle(await rendered(only, json('crds.keep', false))));
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
      'a PodMonitor',
      json('podMonitor.enabled', true),
      () => false,
      ['PodMonitor keepalive-system/keepalive-operator'],
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

test('network policies let the metrics be read by who may, and the API server be asked', async () => {
  const peers = [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }];
  const args = ['networkPolicy.enabled=true', `networkPolicy.metricsFrom=${JSON.stringify(peers)}`];
  const objects = byTitle(
    await rendered(
      only,
      args.flatMap((one) => ['--set-json', one]),
    ),
  );
  for (const [title, component] of [
    ['NetworkPolicy keepalive-agent/keepalive-agent', 'agent'],
    ['NetworkPolicy keepalive-system/keepalive-controller', 'controller'],
  ] as const)
    expect(objects[title]).toMatchObject({
      spec: {
        podSelector: { matchLabels: { 'app.kubernetes.io/component': component } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: peers, ports: [{ protocol: 'TCP', port: 'http' }] }],
        egress: [{ ports: [443, 6443].map((port) => ({ protocol: 'TCP', port })) }],
      },
    });
});

describe('values for a platform', () => {
  const on = async (platform: string) =>
    byTitle(await rendered(only, ['--values', join(chart, `values-${platform}.yaml`)]));

  test.each(['gke-autopilot', 'eks-fargate'])('%s: nothing privileged', async (platform) => {
    const text = JSON.stringify(await on(platform));
    for (const refused of ['DaemonSet', 'hostPath', 'hostPID', 'privileged'])
      expect(text).not.toContain(`"${refused}"`);
    expect(text).toContain('"Deployment"');
  });

  test('gke-autopilot: replicas are spread by no affinity', async () => {
    const pod = (await on('gke-autopilot'))[deployment];
    expect(pod).not.toHaveProperty('spec.template.spec.affinity');
    expect(pod).toHaveProperty('spec.template.spec.topologySpreadConstraints.0.maxSkew', 1);
  });

  test('openshift: constraints for the agents, no user of its own for the controller', async () => {
    const found = changes(usual, await on('openshift'));
    expect(Object.keys(found).sort()).toEqual([
      `${ofPod(deployment)}.securityContext.runAsGroup`,
      `${ofPod(deployment)}.securityContext.runAsUser`,
      'RoleBinding keepalive-agent/keepalive-agent-scc',
    ]);
  });
});

describe.each(helmNames)('%s refuses, and names the value', (name) => {
  test.each<[what: string, args: string[], told: string[]]>([
    ['a name that there is not', json('agents', {}), ['agents']],
    ['a name that there is not, below', json('agent.hostPID', true), ['agent', 'hostPID']],
    ['a text instead of a switch', json('agent.enabled', 'yes'), ['agent', 'enabled', 'boolean']],
    ['a digest that is none', json('image.digest', 'latest'), ['image', 'digest', 'sha256']],
    [
      'a limit that nobody could read',
      json('settings.smallestIntervalSeconds', 76),
      ['smallestIntervalSeconds', '75'],
    ],
    ['a switch position that there is not', json('settings.acting', 'Off'), ['acting', 'AuditAndRestore']],
    ['no replica at all', json('controller.replicas', 0), ['controller', 'replicas']],
    ['a namespace that cannot be', json('agent.namespace', 'Nodes'), ['agent', 'namespace']],
  ])('%s', async (_what, args, told) => {
    const said = await rendered(name, args).then(
      () => 'nothing',
      (error: unknown) => String(error),
    );
    for (const word of told) expect(said).toContain(word);
    expect(said).toContain("values don't meet the specifications of the schema");
  });
});
