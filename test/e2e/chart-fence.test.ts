import { beforeAll, expect, test } from '@jest/globals';

import { buildHelms, buildMs, rendered } from '../support/helm.ts';
import type { Manifest } from '../support/manifest.ts';
import { byTitle } from '../support/manifest.ts';

interface Fence extends Manifest {
  readonly spec: { readonly ingress?: readonly unknown[] };
}

beforeAll(buildHelms, buildMs);

const fromAnywhere = [{ ports: [{ protocol: 'TCP', port: 'webhook' }] }];
test.each([
  ['webhook', fromAnywhere],
  ['both', fromAnywhere],
  ['policy', undefined],
])(
  'with admission=%s network policies let API servers ask the controller if it serves, and an agent never',
  async (admission, ingress) => {
    const values = [`admission=${admission}`, 'networkPolicy.enabled=true'];
    const args = values.flatMap((value) => ['--set', value]);
    const fences = (await rendered('Helm 4', args)).filter(({ kind }) => kind === 'NetworkPolicy') as Fence[];
    const ingressOf = Object.entries(byTitle(fences)).map(([title, fence]) => [
      title,
      (fence as Fence).spec.ingress,
    ]);
    expect(Object.fromEntries(ingressOf)).toEqual({
      'NetworkPolicy keepalive-system/keepalive-controller': ingress,
      'NetworkPolicy keepalive-agent/keepalive-agent': undefined,
    });
    expect(fences).toHaveLength(2);
  },
);

test('no network policy stands around a controller in the network of its nodes, where none would hold', async () => {
  const values = ['admission=webhook', 'networkPolicy.enabled=true', 'controller.hostNetwork=true'];
  const args = values.flatMap((value) => ['--set', value]);
  const fences = (await rendered('Helm 4', args)).filter(({ kind }) => kind === 'NetworkPolicy');
  expect(Object.keys(byTitle(fences))).toEqual(['NetworkPolicy keepalive-agent/keepalive-agent']);
});
