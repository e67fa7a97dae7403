import { describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../../src/api/status.ts';
import { Pace } from '../../../src/controller/pace.ts';
import { RefusalLog } from '../../../src/controller/refusal-log.ts';
import { changeOf } from '../../../src/policy/status-change.ts';
import { policyRecord } from '../../../src/policy/record.ts';
import { refusalsOf } from '../../../src/policy/withholding.ts';
import { namespace, platform, platformSpec } from '../../support/builder.ts';

const policy = policyRecord('ClusterKeepalivePolicy', {
  metadata: { name: 'p', uid: 'p', generation: 1, resourceVersion: '1' },
  spec: platformSpec(90),
});
const start = Date.parse('2026-05-04T10:00:00Z');
/** Of the owner of pods that are refused: twice as long each time, up to this. */
const longestRetrySeconds = 1000;

interface Flood {
  /** Of one tenant, in which he has events written in turn. */
  readonly namespaces: number;
  readonly eventsPerSecond: number;
  readonly agents: number;
}

/**
 * One policy of the cluster, looked at each second. After two minutes of the flood pods of a neighbour are refused, whose owner tries
 * again until one is made; and from then on a minute after each.
 */
function played({ namespaces, eventsPerSecond, agents }: Flood, seconds: number) {
  let now = 0;
  const pace = new Pace({ now: () => now, schedule: () => () => undefined });
  const log = new RefusalLog();
  const claim = (where: string) => {
    log.note({ namespace: where, atMs: start + now, by: 'webhook x', words: 'sysctls' }, start + now);
  };
  let status: PolicyStatus = { observedGeneration: 1 };
  const isListed = () => (status.refusals ?? []).some((one) => one.namespace === 'mine');
  let [wantedAt, retryAt, pause] = [120, 120, 1];
  const seen = { writes: 0, listedAfter: Infinity, madeAfter: [] as number[] };
  const create = (second: number) => {
    if (isListed()) {
      seen.madeAfter.push(second - wantedAt);
      [wantedAt, retryAt, pause] = [second + 60, second + 60, 1];
    } else {
      claim('mine');
      [retryAt, pause] = [second + pause, Math.min(2 * pause, longestRetrySeconds)];
    }
  };
  const look = () => {
    const record = { ...policy, status };
    const hearing = { record, ...log.inTurnFor('p', status.refusals ?? []), namespaceOf: namespace };
    const refusals = refusalsOf(platform(90), { ...hearing, now: new Date(start + now) });
    const change = changeOf(status, { ...status, refusals });
    if (pace.waitMs('p', change, agents) > 0 || change === 'none') return;
    pace.wrote('p', change, agents);
    seen.writes += 1;
    status = { ...status, refusals };
  };
  let next = 0;
  for (let second = 0; second < seconds; second += 1) {
    now = second * 1000;
    for (let event = 0; event < eventsPerSecond; event += 1) claim(`t${(next += 1) % namespaces}`);
    if (second === retryAt) create(second);
    now += 500;
    look();
    if (isListed()) seen.listedAfter = Math.min(seen.listedAfter, second - 120);
  }
  return seen;
}

describe('a tenant who has events written in more namespaces than a status lists', () => {
  const seconds = 600;

  test.each<[Flood]>([
    [{ namespaces: 65, eventsPerSecond: 1, agents: 5000 }],
    [{ namespaces: 65, eventsPerSecond: 65, agents: 5000 }],
    [{ namespaces: 127, eventsPerSecond: 127, agents: 5000 }],
    [{ namespaces: 400, eventsPerSecond: 20, agents: 5000 }],
    [{ namespaces: 400, eventsPerSecond: 100, agents: 500 }],
  ])(
    'has it written as often as agents can hear of it, and a neighbour listed in the next turn, and his first pod made: %j',
    (flood) => {
      const { writes, listedAfter, madeAfter } = played(flood, seconds);
      const everySeconds = flood.agents / 100;
      // As long as there is room, each is a verdict; and then as many again are refused for the first time.
      expect(writes).toBeLessThanOrEqual(64 + 64 + 3 + 2 * (seconds / everySeconds));
      expect(listedAfter).toBeLessThanOrEqual(everySeconds + 1);
      // In the turn that he has: he tries again when twice the time is over that he has waited.
      expect(madeAfter[0]).toBeLessThanOrEqual(2 * (everySeconds + 1) + 1);
    },
  );

  test.each([
    [65, 1],
    [65, 65],
    [100, 100],
    [127, 127],
  ])(
    'keeps no neighbour from the list, and none of his pods from being made: %d namespaces, %d events a second',
    (namespaces, eventsPerSecond) => {
      const { listedAfter, madeAfter } = played({ namespaces, eventsPerSecond, agents: 5000 }, seconds);
      expect([listedAfter, madeAfter[0]]).toEqual([0, 1]);
      expect(madeAfter.length).toBeGreaterThanOrEqual(4);
      expect(Math.max(...madeAfter)).toBeLessThanOrEqual(100);
    },
  );
});
