import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import product from '../../package.json' with { type: 'json' };
import { webhookAround } from '../../src/policy/installation.ts';
import { repository } from '../cluster/place.ts';
import { buildHelms, buildMs, chart, helm, helmNames, rendered } from '../support/helm.ts';
import { built, kustomizeProgram } from '../support/kustomize.ts';
import type { Manifest } from '../support/manifest.ts';
import { byTitle, changes } from '../support/manifest.ts';
import { Overlays } from '../support/overlay.ts';

beforeAll(async () => {
  await buildHelms();
  await kustomizeProgram();
}, buildMs);

const overlays = new Overlays();
afterAll(() => {
  overlays.remove();
});

/** What only the chart says of each object. */
const ofChart = {
  'app.kubernetes.io/instance': 'keepalive',
  'app.kubernetes.io/version': product.version,
  'app.kubernetes.io/part-of': 'keepalive-operator',
  'app.kubernetes.io/managed-by': 'Helm',
  'helm.sh/chart': `keepalive-operator-${product.version}`,
};

/** Objects of the manifests, as the chart is to render them. */
function asOfChart(objects: readonly Manifest[], releaseNamespace: string): Record<string, Manifest> {
  return byTitle(
    objects
      // The namespace of a release is there before the release.
      .filter(({ kind, metadata }) => kind !== 'Namespace' || metadata.name !== releaseNamespace)
      .map((object) => ({
        ...object,
        metadata: {
          ...object.metadata,
          labels: { ...object.metadata.labels, ...ofChart },
          ...(object.kind === 'CustomResourceDefinition'
            ? { annotations: { 'helm.sh/resource-policy': 'keep' } }
            : {}),
        },
      })),
  );
}

describe.each(helmNames)('the chart, by %s', (name) => {
  test('has the objects of deploy/, field by field', async () => {
    const base = asOfChart(await built(join(repository, 'deploy')), 'keepalive-system');
    expect(Object.keys(base).length).toBeGreaterThan(30);
    expect(changes(base, byTitle(await rendered(name)))).toEqual({});
  });

  test('has nothing that a linter complains of', async () => {
    expect(await helm(name, ['lint', '--strict', '--kube-version', '1.37.0', chart])).toContain(
      '0 chart(s) failed',
    );
  });

  test('renders the same once more', async () => {
    expect(await rendered(name)).toEqual(await rendered(name));
  });
});

const only = 'Helm 4';

describe('each component of deploy/components is values of the chart', () => {
  test.each<[component: string, args: string[]]>([
    ['openshift', ['--set', 'openshift.enabled=true']],
    ['webhook', ['--set', 'admission=webhook']],
    ['controller-only', ['--set', 'agent.enabled=false']],
    ['kernel-only', ['--set', 'agent.kernelOnly=true']],
    ['chosen-nodes', ['--set-string', String.raw`agent.nodeSelector.keepalive\.dev/agent=true`]],
  ])('%s', async (component, args) => {
    const overlay = await built(overlays.write(component, { components: [component] }));
    expect(changes(asOfChart(overlay, 'keepalive-system'), byTitle(await rendered(only, args)))).toEqual({});
  });

  test.each([
    ['1.35.4', 'webhook'],
    ['1.35.9-gke.1', 'webhook'],
    ['1.36.0-eks-1', 'policy'],
    ['1.38.0', 'policy'],
  ])('Kubernetes %s gets the %s, unless it is told otherwise', async (version, mode) => {
    const auto = await rendered(only, ['--kube-version', version]);
    expect(auto).toEqual(await rendered(only, ['--set', `admission=${mode}`]));
  });

  const group = 'admissionregistration.k8s.io/v1';
  const emulated = [group, `${group}/MutatingWebhookConfiguration`];
  test.each<[what: string, version: string, served: string[], mode: string]>([
    ['1.36 by what it serves', '1.36.0', [...emulated, `${group}/MutatingAdmissionPolicy`], 'policy'],
    ['1.36 that emulates 1.35', '1.36.0', emulated, 'webhook'],
    ['1.36 of which no kinds are known', '1.36.0', [group], 'policy'],
    ['1.35 with kinds', '1.35.4', emulated, 'webhook'],
  ])('Kubernetes %s: as a cluster tells it, or Argo CD', async (_what, version, served, mode) => {
    const auto = await rendered(only, ['--kube-version', version, '--api-versions', served.join(',')]);
    expect(auto).toEqual(await rendered(only, ['--set', `admission=${mode}`]));
  });

  test('on the way from one to the other it has the objects of both, and is served as the webhook is', async () => {
    const [policy, webhook, both] = await Promise.all(
      ['policy', 'webhook', 'both'].map(async (mode) =>
        byTitle(await rendered(only, ['--set', `admission=${mode}`])),
      ),
    );
    expect(both).toEqual({ ...policy, ...webhook });
  });

  test('the webhook in one namespace leaves out that one, and is asked from there', async () => {
    const overlay = await built(overlays.write('asked', { components: ['webhook', 'one-namespace'] }));
    const args = ['--set', 'admission=webhook', '--set', 'agent.namespace=platform'];
    const title = 'MutatingWebhookConfiguration pods.keepalive.dev';
    const ofOverlay = asOfChart(overlay.map(inPlatform), 'platform')[title];
    expect(byTitle(await rendered(only, args, 'platform'))[title]).toEqual(ofOverlay);
    const wanted = webhookAround({ controller: 'platform', agents: 'platform' });
    expect(ofOverlay).toMatchObject({
      webhooks: wanted.webhooks.map(({ namespaceSelector }) => ({ namespaceSelector })),
    });
  });

  test.each([['keepalive-system'], ['platform']])(
    'without agents no namespace is taken for theirs, nor left out by the webhook: in %s',
    async (namespace) => {
      const args = ['--set', 'admission=webhook', '--set', 'agent.enabled=false'];
      const objects = await rendered(only, args, namespace);
      const wanted = webhookAround({ controller: namespace, agents: namespace });
      expect(objects.find(({ kind }) => kind === 'MutatingWebhookConfiguration')).toMatchObject({
        webhooks: wanted.webhooks.map(({ namespaceSelector }) => ({ namespaceSelector })),
      });
      expect(JSON.stringify(objects)).toContain('{"name":"AGENTS","value":"none"}');
      expect(JSON.stringify(objects)).not.toMatch(/AGENT_NAMESPACE|"keepalive-agent"/);
    },
  );

  test.each([
    [['webhook', 'controller-only'], 'keepalive-system'],
    [['webhook', 'controller-only', 'one-namespace'], 'platform'],
  ])('and so it is by kustomize: %s', async (components, home) => {
    const objects = await built(overlays.write(components.join('-'), { components }));
    const wanted = webhookAround({ controller: home, agents: home });
    expect(objects.find(({ kind }) => kind === 'MutatingWebhookConfiguration')).toMatchObject({
      webhooks: wanted.webhooks.map(({ namespaceSelector }) => ({ namespaceSelector })),
    });
    expect(JSON.stringify(objects)).toContain('{"name":"AGENTS","value":"none"}');
  });

  test('one-namespace, where controller and agents are also told of each other', async () => {
    const overlay = await built(overlays.write('one', { components: ['one-namespace'] }));
    const objects = await rendered(only, ['--set', 'agent.namespace=platform'], 'platform');
    expect(changes(asOfChart(overlay.map(inPlatform), 'platform'), byTitle(objects))).toEqual({
      'Deployment platform/keepalive-controller.spec.template.spec.containers.0.env.2': [
        undefined,
        { name: 'AGENT_NAMESPACE', value: 'platform' },
      ],
      'DaemonSet platform/keepalive-agent.spec.template.spec.containers.0.env.4': [
        undefined,
        { name: 'SETTINGS_NAMESPACE', value: 'platform' },
      ],
    });
  });
});

/** kustomize gives a namespace to objects of which it does not know that they have none, and leaves messages alone. */
function inPlatform(object: Manifest): Manifest {
  if (!object.kind.includes('AdmissionPolicy')) return object;
  const { namespace: _, ...metadata } = object.metadata;
  const text = JSON.stringify({ ...object, metadata }).replaceAll('keepalive-system', 'platform');
  return JSON.parse(text) as Manifest;
}
