import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { AdmissionCase } from '../support/admission-cases.ts';
import { admissionCases } from '../support/admission-cases.ts';
import type { Bench, PolicyObject } from './shared.ts';
import { isReady } from './shared.ts';

const cases = admissionCases.map((row, index) => ({ ...row, namespace: `e2e-case-${index}` }));
/** Of two policies, each comes first in one of so many with a probability above 98 %. */
const ordersSeen = 6;
type Case = AdmissionCase & { readonly namespace: string };

/** Cluster policies see the namespace of their own case alone. */
function objectsOf({ namespace, namespaceLabels, policies }: Case): object[] {
  const apiVersion = 'keepalive.dev/v1alpha1';
  const home = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { ...namespaceLabels, case: namespace } },
  };
  const declared = policies.map(({ kind, spec }, index) => {
    if (kind === 'KeepalivePolicy')
      return { apiVersion, kind, metadata: { name: `p${index}`, namespace }, spec };
    const { namespaceSelector = {} } = spec;
    const matchLabels = { ...namespaceSelector.matchLabels, case: namespace };
    return {
      apiVersion,
      kind,
      metadata: { name: `${namespace}-p${index}`, labels: { suite: 'agreement' } },
      spec: { ...spec, namespaceSelector: { ...namespaceSelector, matchLabels } },
    };
  });
  return [home, ...declared];
}

/** `kubectl wait` would ask for each by itself, some ten a second. */
async function untilAllReady(bench: Bench, ...policies: readonly string[]): Promise<void> {
  await bench.until(
    `every ${policies.join(' ')} is Ready`,
    async () => {
      const { items } = await bench.json<{ readonly items: readonly PolicyObject[] }>(...policies);
      return items.every(({ status }) => status !== undefined && isReady(status));
    },
    { everyMs: 500 },
  );
}

/** The table of test/unit/policy/admit.test.ts, put to a real API server by whatever changes pods there. */
export function agreementTests(benchOf: () => Bench): void {
  beforeAll(async () => {
    await benchOf().apply(...cases.flatMap(objectsOf));
    await untilAllReady(benchOf(), 'ckap', '--selector=suite=agreement');
    await untilAllReady(benchOf(), 'kap', '-A');
  });
  afterAll(async () => {
    await benchOf().cluster.kubectl('delete', 'ckap', '--selector=suite=agreement');
    await benchOf().cluster.kubectl(
      'delete',
      'namespace',
      '--wait=false',
      ...cases.map(({ namespace }) => namespace),
    );
  });

  test.each(cases)('$sentence', async ({ namespace, pod, policies, expected }) => {
    const { labels = {}, annotations = {}, spec = {} } = pod;
    const containers = spec.containers ?? [{ name: 'main', image: 'localhost/tools:1' }];
    const manifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'pod', namespace, labels, annotations },
    };
    const created = () => benchOf().dryRun({ ...manifest, spec: { ...spec, containers } });
    // The API server asks several policies in an order of its own, which it does not keep.
    for (let time = 0; time < (policies.length > 1 ? ordersSeen : 1); time += 1)
      expect(await created()).toEqual(expected);
  });
}
