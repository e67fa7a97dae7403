import { expect, test } from '@jest/globals';

import { webhookRecord } from '../../../src/controller/record.ts';
import { World } from '../../../src/controller/world.ts';
import { awaited } from '../../../src/policy/evidence.ts';
import { webhookAround } from '../../../src/policy/installation.ts';
import type { AdmissionMode } from '../../../src/policy/mode.ts';
import { platform } from '../../support/builder.ts';

/** One policy, and whatever changes new pods. */
function worldWith(mode: AdmissionMode) {
  const world = new World('keepalive-agent', { mode, home: 'home' });
  world.clusterkeepalivepolicies.set('cloud', {
    ...{ kind: 'ClusterKeepalivePolicy', namespace: '', name: 'cloud', uid: 'u1', generation: 1 },
    ...{ policy: platform(90, {}, 'cloud'), problems: undefined, status: {} },
  });
  const look = () =>
    world.gather('cloud', { now: new Date(), activatingForMs: undefined, evidence: awaited });
  return { world, look };
}

test.each([
  ['policy', []],
  ['webhook', ['kube-system', 'home', 'keepalive-agent']],
] as const)('a decision knows whose new pods nobody is asked about where %s changes them', (mode, names) => {
  expect(worldWith(mode).look()?.unaskedIn).toEqual(names);
});

test('nor is anybody asked where GKE Autopilot has it so of every webhook, and nobody has edited anything', () => {
  const { world, look } = worldWith('webhook');
  const added = ['kube-system', 'gke-gmp-system', 'gke-managed-cim'];
  const { metadata, webhooks } = webhookAround(world.homes);
  const narrowed = webhooks.map((webhook) => {
    const selector = webhook.namespaceSelector as { readonly matchExpressions?: readonly object[] };
    const notIn = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: added };
    const matchExpressions = [...(selector.matchExpressions ?? []), notIn];
    return { ...webhook, namespaceSelector: { ...selector, matchExpressions } };
  });
  const object = { metadata: { ...metadata, uid: 'w', resourceVersion: '1' }, webhooks: narrowed };
  world.mutatingwebhookconfigurations.set(metadata.name, webhookRecord(object, world.homes));
  expect(look()?.installation).toEqual({ missing: [], differing: [] });
  expect(look()?.unaskedIn).toEqual(['kube-system', 'home', 'keepalive-agent', ...added.slice(1)]);
});
