import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { loadProduct } from '../cluster/install.ts';
import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import { Bench, ckap, condition, kap, sleeper } from '../e2e/shared.ts';
import { sysctls } from '../support/builder.ts';
import { buildHelms, buildMs } from '../support/helm.ts';
import { Overlays } from '../support/overlay.ts';
import { Page } from '../unit/docs/page.ts';
import { Passing } from './passing.ts';
import { Releases } from './release.ts';

/** On a cluster that serves policies: from these to a webhook, and back, with a pod made every moment. */
const overlays = new Overlays();
const deploy = join(repository, 'deploy');
const namespaces = ['e2e-team', 'e2e-platform'] as const;
let cluster: Cluster;
let bench: Bench;
let all: readonly Passing[];

beforeAll(async () => {
  await buildHelms();
  cluster = await Cluster.up({ name: 'e2e-switch', nodes: 1, owned: true });
  bench = new Bench(cluster);
  all = namespaces.map((namespace) => new Passing(cluster, namespace));
  await loadProduct(cluster);
  for (const namespace of namespaces) await bench.namespace(namespace, { in: namespace });
}, buildMs);
afterAll(async () => {
  overlays.remove();
  for (const one of all) await one.close();
  await cluster.down();
});

async function untilReady(): Promise<void> {
  for (const policy of [
    { kind: 'kap', name: 'team', namespace: 'e2e-team' },
    { kind: 'ckap', name: 'platform' },
  ] as const)
    expect(condition(await bench.status(policy), 'Ready')?.message).not.toContain('cannot be seen');
}

async function declare(): Promise<void> {
  await bench.apply(
    kap('e2e-team', 'team', 90),
    ckap('platform', 90, { namespaceSelector: { matchLabels: { in: 'e2e-platform' } } }),
  );
  await untilReady();
}

/** Of pods of both kinds of policies, how many were made without the values meanwhile. */
async function passedDuring(act: () => Promise<void>): Promise<number> {
  const doing = act();
  const seen = await Promise.all(all.map((one) => one.during(() => doing)));
  return seen.reduce((sum, { passed }) => sum + passed, 0);
}

const bindings = () => cluster.kubectl('get', 'mutatingadmissionpolicybindings', '-o', 'name');
/** It is stored when API servers trust it, and served when it is stored. */
const untilCertified = (namespace = 'keepalive-system') =>
  until('the webhook has a certificate', () => bench.exists('secret', 'keepalive-webhook', '-n', namespace));
const untilBound = () =>
  until('cluster policies are bound', async () => (await bindings()).includes('platform.'));
const untilUnbound = () => until('what bound policies is gone', async () => (await bindings()) === '');
/** What only the webhook has, whatever an overlay calls it. */
const ofWebhook = () =>
  cluster.kubectl(
    'get',
    'mutatingwebhookconfigurations,secrets,services,roles,rolebindings,clusterroles,clusterrolebindings',
    ...['-A', '-l', 'app.kubernetes.io/name=keepalive-operator', '-o', 'name'],
  );
const untilNoneOfWebhook = () =>
  until('nothing of the webhook is left', async () => !(await ofWebhook()).includes('webhook'));

/** The last commands of the page, which take away what is of the webhook. */
function removal(): string {
  const block = new Page('docs/install.md').blocks('sh').find((one) => one.includes('deploy/admission.yaml'));
  const [, lines = ''] = /^(webhook=.*\nkubectl delete .*\n)/m.exec(block ?? '') ?? [];
  if (lines === '') throw new Error('the page takes nothing of the webhook away');
  return lines;
}

describe.each([
  { how: 'as it is', components: [], own: [], namespace: 'keepalive-system', name: 'keepalive-controller' },
  {
    how: 'in one namespace and under other names',
    components: ['one-namespace', 'renamed'],
    own: ['platform'],
    ...{ namespace: 'platform', name: 'acme-keepalive-controller' },
  },
])('with kustomize, $how', ({ components, own, namespace, name }) => {
  let without: string;
  beforeAll(async () => {
    without = overlays.write(`without-${namespace}`, { components });
    for (const one of own) await bench.namespace(one, { 'pod-security.kubernetes.io/enforce': 'privileged' });
    await cluster.install({ folder: without, isLoaded: true });
    await declare();
  }, 240_000);
  afterAll(() => cluster.kubectl('delete', '-k', without, '--timeout=120s'), 180_000);

  async function roll(folder: string): Promise<void> {
    await cluster.kubectl('apply', '-k', folder);
    await cluster.kubectl('rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=120s');
  }

  test('a webhook takes over from policies, and no pod is made without the values meanwhile', async () => {
    const folder = overlays.write(`with-${namespace}`, { components: ['webhook', ...components] });
    const passed = await passedDuring(async () => {
      await roll(folder);
      await untilCertified(namespace);
      await untilReady();
      // Both change pods now; then the one that was there before goes.
      const both = 'mutatingadmissionpolicies,mutatingadmissionpolicybindings';
      await cluster.kubectl('delete', both, '-l', 'app.kubernetes.io/name=keepalive-operator');
      await untilUnbound();
      await untilReady();
    });
    expect(passed).toBe(0);
    expect(await bench.dryRun(sleeper('new', 'e2e-platform'))).toEqual(sysctls());
  }, 300_000);

  test('and policies from a webhook, of which nothing is left', async () => {
    expect(await ofWebhook()).toContain('secret/keepalive-webhook');
    const fence = () =>
      cluster.kubectl(
        ...['get', 'validatingadmissionpolicy', 'dry-run.keepalive.dev'],
        ...['-o', 'jsonpath={.spec.matchConstraints.namespaceSelector.matchLabels}'],
      );
    const passed = await passedDuring(async () => {
      await cluster.kubectl('apply', '-f', join(deploy, 'admission.yaml'));
      expect(await fence()).toContain(`"${namespace}"`);
      await untilBound();
      await roll(without);
      const { stderr, code } = await cluster.exec(['sh', '-ec', removal()]);
      expect(code === 0 ? '' : stderr).toBe('');
      await untilNoneOfWebhook();
      await untilReady();
    });
    expect(passed).toBe(0);
  }, 300_000);
});

describe('with Helm, by way of both', () => {
  const home = 'keepalive-system';
  let releases: Releases;
  beforeAll(async () => {
    releases = new Releases(cluster, 'Helm 4');
    await releases.install('keepalive', home);
    await declare();
  }, 360_000);

  const change = (to: string) => releases.upgrade('keepalive', home, '--set', `admission=${to}`);

  test('a webhook takes over from policies, and no pod is made without the values meanwhile', async () => {
    const passed = await passedDuring(async () => {
      await change('both');
      await untilCertified();
      await untilReady();
      await change('webhook');
      await untilUnbound();
      await untilReady();
    });
    expect(passed).toBe(0);
    expect(await bench.dryRun(sleeper('new', 'e2e-platform'))).toEqual(sysctls());
  }, 300_000);

  test('and policies from a webhook, of which nothing is left', async () => {
    expect(await ofWebhook()).toContain('secret/keepalive-webhook');
    const passed = await passedDuring(async () => {
      await change('both');
      await untilBound();
      await change('auto');
      await untilNoneOfWebhook();
      await untilReady();
    });
    expect(passed).toBe(0);
  }, 300_000);
});
