import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { nodeKeepaliveStatusSchema } from '../../../src/api/node-keepalive.ts';
import { policyStatusSchema, skipReasons } from '../../../src/api/status.ts';
import { platform, pod, sysctls } from '../../support/builder.ts';
import { home, Rig } from './counts-rig.ts';
import { LookRig } from './look-rig.ts';

const most = 2 ** 31 - 1;
const key = 'all';
const reporting = ['n1', 'n2'] as const;

let api: LookRig;
beforeAll(async () => {
  api = await LookRig.start();
});
afterAll(() => api.close());

/** Two pods on each of two nodes with agents, two where the agent is away, and a stricter policy beside. */
function cluster(): Rig {
  const rig = new Rig();
  for (const [name, seconds] of [
    [key, 90],
    ['stricter', 30],
  ] as const)
    rig.put('clusterkeepalivepolicies', name, {
      ...{ kind: 'ClusterKeepalivePolicy', namespace: '', name, uid: name, generation: 1 },
      ...{ policy: platform(seconds, { nodes: { selector: {} } }, name), problems: undefined, status: {} },
    });
  rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
  for (const node of [...reporting, 'away']) {
    const on = (name: string, namespace: string) =>
      pod({ name, namespace, sysctls: node === 'away' ? [] : sysctls(), spec: { nodeName: node } });
    rig.put('nodes', node, { uid: node, name: node, labels: {} });
    for (const name of [`${node}-a`, `${node}-b`])
      rig.put('pods', `db/${name}`, { ...on(name, 'db'), uid: name, agentReady: undefined });
    if (node !== 'away')
      rig.put('pods', `${home}/${node}`, { ...on(node, home), uid: node, agentReady: true });
  }
  return rig;
}

async function statusWith(rig: Rig) {
  const look = await api.looks(rig).at(key);
  if (look === undefined || look === 'another') throw new Error(`there is no ${key} to look at`);
  return look.planned.status;
}

const said = (rest: Partial<NodePolicyReport>): NodePolicyReport => ({
  ...{ kind: 'ClusterKeepalivePolicy', name: key, observedGeneration: 1, selected: 2, live: 2 },
  ...rest,
});

test('a node that has as many findings as the API keeps leaves room for one that is found here', async () => {
  const rig = cluster();
  rig.report('n1', [said({ findingsTotal: most })]);
  rig.report('n2', [said({})]);
  const status = await statusWith(rig);
  expect(status.findings).toContainEqual(expect.objectContaining({ reason: 'NodeAway', node: 'away' }));
  expect(status.findingsTotal).toBe(most);
  expect(policyStatusSchema.parse(status)).toEqual(status);
});

describe('whatever nodes say that the API takes of them', () => {
  const count = fc.oneof(fc.constantFrom(0, 1, 2, most - 1, most), fc.nat(most));
  const text = fc.oneof(fc.constantFrom('', 'NotLive', 'SkipLabel', 'n1-a'), fc.string({ maxLength: 20 }));
  const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
  const finding = fc.record(
    {
      ...{ reason: text, message: text, hop: text, namespace: text, pod: text, node: text, policy: text },
    },
    { requiredKeys: ['reason', 'message'] },
  );
  const skippedBy = fc.array(fc.record({ reason: fc.constantFrom(...skipReasons), count }), { maxLength: 6 });
  const connections = fc.record(
    { established: count, protected: count, exposed: count, unknown: count },
    { requiredKeys: ['established', 'protected', 'exposed'] },
  );
  const report = fc.record({
    ...{ kind: fc.constant('ClusterKeepalivePolicy' as const), name: fc.constant(key) },
    ...{ observedGeneration: fc.constantFrom(0, 1, 2 ** 53 - 1), selected: count, live: count },
    ...{ pending: optional(count), policyDigest: optional(count), podsDigest: optional(count) },
    ...{ unheeded: optional(count), uncounted: optional(count), findingsTotal: optional(count) },
    ...{ repaired: optional(count), host: fc.constantFrom(undefined, 'Live' as const, 'NotLive' as const) },
    ...{ skippedBy: optional(skippedBy), connections: optional(connections) },
    findings: optional(fc.array(finding, { maxLength: 20 })),
  });

  test('the status of the policy is one that the API takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(report, { minLength: 2, maxLength: 2 }), async (reports) => {
        const rig = cluster();
        for (const [at, node] of reporting.entries()) {
          const policies = nodeKeepaliveStatusSchema.parse({ policies: [reports[at]] }).policies ?? [];
          rig.report(node, policies);
        }
        const status = await statusWith(rig);
        expect(policyStatusSchema.parse(status)).toEqual(status);
      }),
      { numRuns: 100 },
    );
  });
});
