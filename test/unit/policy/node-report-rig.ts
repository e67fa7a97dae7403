import { expect } from '@jest/globals';

import { kernelDefaults } from '../../../src/api/triple.ts';
import { nodeKeepaliveStatusSchema } from '../../../src/api/node-keepalive.ts';
import { nodeReport } from '../../../src/policy/node-report.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import type { Reading } from '../../../src/policy/reading.ts';
import type { Place } from '../../../src/policy/place.ts';
import { HOST, placeOfPod } from '../../../src/policy/place.ts';
import { selectOnNode } from '../../../src/policy/selection.ts';
import type { Discovery } from '../../../src/policy/tracker.ts';
import type { PodSketch } from '../../support/builder.ts';
import { namespace, nodePodOf, team } from '../../support/builder.ts';

export const wanted = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
export const reading = (place: Place, rest: Partial<Reading> = {}): Reading => ({
  ...{ place, state: 'read', now: wanted, found: {}, faults: [], repaired: 0, putRight: false, wrote: {} },
  ...rest,
});
export const untouched = { now: kernelDefaults };
export const override = { key: 'timeSeconds', seen: 600, times: 2, lastMs: 5, holdUntilMs: 5 } as const;
export const container = { containerStatuses: [{ state: { running: {} } }] };

export interface Scene {
  readonly policies?: readonly EffectivePolicy[];
  readonly pods?: readonly (PodSketch & { readonly status?: object })[];
  readonly host?: Partial<Reading>;
  /** By the name of the pod; what is not here was not visited. */
  readonly seen?: Readonly<Record<string, Partial<Reading>>>;
  readonly discovery?: Discovery | undefined;
}

/** What a node says of a scene. */
export function report({
  policies = [team(90)],
  pods = [{ status: container }],
  host = untouched,
  seen = { 'mongo-0': {} },
  discovery,
}: Scene) {
  const selections = selectOnNode({
    node: { name: 'n1', labels: {} },
    pods: pods.map(nodePodOf),
    namespaces: new Map([['db', namespace()]]),
    policies: policies.map((policy) => ({
      ...{ kind: policy.kind, namespace: policy.namespace, name: policy.name },
      ...{ uid: 'u1', generation: 4, policy, problems: undefined, status: {} },
    })),
  });
  const readings = Object.entries(seen).map(([name, rest]) => reading(placeOfPod(`uid-of-${name}`), rest));
  const all = [reading(HOST, host), ...readings];
  const status = nodeReport({
    ...{ node: 'n1', agentVersion: '1.2.3', selections, sockets: undefined, peers: 'Hide' as const },
    discovery,
    readings: new Map(all.map((one) => [one.place, one])),
  });
  // What is written must be what the kind declares.
  expect(nodeKeepaliveStatusSchema.parse(status)).toEqual(status);
  return status;
}
