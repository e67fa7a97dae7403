import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { nodeKeepaliveStatusSchema } from '../../../src/api/node-keepalive.ts';
import type { SocketReading } from '../../../src/policy/connection.ts';
import type { NodePod } from '../../../src/policy/node-pod.ts';
import { nodeReport } from '../../../src/policy/node-report.ts';
import type { Place } from '../../../src/policy/place.ts';
import { HOST } from '../../../src/policy/place.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { reportBytes, sizeOf } from '../../../src/policy/report-budget.ts';
import { selectOnNode } from '../../../src/policy/selection.ts';
import { namespace, nodePodOf, platform, team } from '../../support/builder.ts';
import { container, reading, untouched } from './node-report-rig.ts';

const hog = 'hog';
const neighbour = 'neighbour';

const recordOf = (policy: ReturnType<typeof team>): PolicyRecord => ({
  ...{ kind: policy.kind, namespace: policy.namespace, name: policy.name, uid: 'u', generation: 4 },
  ...{ policy, problems: undefined, status: {} },
});
const audits = (count: number, of: string) =>
  Array.from({ length: count }, (_, at) => recordOf(team(90, { mode: 'Audit' }, `policy-${at}`, of)));
const podsOf = (count: number, of: string) =>
  Array.from({ length: count }, (_, at) =>
    nodePodOf({ name: `${of}-${at}`, namespace: of, status: container }),
  );

/** What a node says of pods that hold nothing, each with a connection that is exposed. */
function reportOn(pods: readonly NodePod[], policies: readonly PolicyRecord[], limit?: number) {
  const namespaces = new Map([hog, neighbour].map((name) => [name, namespace(name)]));
  const selections = selectOnNode({
    ...{ node: { name: 'n1', labels: {} }, pods, namespaces, policies },
  });
  const worst = [{ program: 'mongod', exposure: 'KeepaliveOff' as const, peer: '192.0.2.1:27017', count: 1 }];
  const counts = { established: 1, protected: 0, exposed: 1, unknown: 0, worst };
  const seen = (place: SocketReading['place']): SocketReading => ({
    ...{ place, byTimeout: { 60: counts, 90: counts }, repaired: 0, failures: {}, leftOut: {} },
  });
  const places: readonly Place[] = pods.map(({ place }) => place);
  const status = nodeReport(
    {
      ...{ node: 'n1', agentVersion: '1.2.3', selections, peers: 'Show', discovery: undefined },
      readings: new Map([HOST as Place, ...places].map((place) => [place, reading(place, untouched)])),
      sockets: new Map(places.map((place) => [place, seen(place)])),
    },
    limit,
  );
  expect(nodeKeepaliveStatusSchema.parse(status)).toEqual(status);
  return status;
}

describe('a heap of policies of one namespace', () => {
  const pods = [...podsOf(20, hog), ...podsOf(2, neighbour)];
  const others = [recordOf(team(60, {}, 'theirs', neighbour)), recordOf(platform(60, {}, 'of-all'))];
  const alone = reportOn(pods, others);

  test.each([
    [500, 500],
    [5000, undefined],
  ])('of %i leaves room in the report, and the totals of others and all of their findings', (count, told) => {
    const status = reportOn(pods, [...audits(count, hog), ...others]);
    expect(sizeOf(status)).toBeLessThanOrEqual(reportBytes);
    expect(status.policies).toEqual(expect.arrayContaining(alone.policies ?? []));
    const ofHog = (status.policies ?? []).filter((one) => one.namespace === hog);
    if (told !== undefined) expect(ofHog).toHaveLength(told);
    for (const one of ofHog)
      expect(one).toMatchObject({
        ...{ selected: 20, live: 0, findingsTotal: 40 },
        connections: { established: 20, protected: 0, exposed: 20, unknown: 0 },
      });
    expect(status.shortened).toEqual([{ namespace: hog, policies: count, leftOut: count - ofHog.length }]);
    expect(status.pods).toEqual(alone.pods);
  });

  test('as small as it may be by default is told in full', () => {
    expect(reportOn(pods, [...audits(20, hog), ...others])).not.toHaveProperty('shortened');
  });

  test('is told in the same words in whatever order pods and policies are seen', () => {
    const policies = [...audits(40, hog), ...others];
    const shuffled = <T>(all: readonly T[]) => fc.shuffledSubarray([...all], { minLength: all.length });
    fc.assert(
      fc.property(shuffled(pods), shuffled(policies), (p, q) => {
        expect(reportOn(p, q, 30_000)).toEqual(reportOn(pods, policies, 30_000));
      }),
      { numRuns: 10 },
    );
  });
});
