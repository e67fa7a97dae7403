import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { findingLimit } from '../../../src/api/status.ts';
import { assess } from '../../../src/policy/assess.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { noAgents } from '../../../src/policy/rollup.ts';
import { assessed, countedOf } from '../../support/assessed.ts';
import { namespace, pod, sysctls, team } from '../../support/builder.ts';
import { recount } from '../../support/recount.ts';

const crowd = fc.array(
  fc.record({
    labels: fc.constantFrom<Record<string, string>>({}, { 'keepalive.dev/skip': 'true' }),
    phase: fc.constantFrom('Running', 'Pending', 'Pending'),
    sysctls: fc.constantFrom(sysctls(), sysctls(7200), [{ name: 'net.ipv4.tcp_keepalive_time', value: 'x' }]),
    annotations: fc.constantFrom<Record<string, string>>({}, { 'keepalive.dev/own-values': '600/-/-' }),
    spec: fc.record(
      { nodeName: fc.constantFrom('n1', 'n2'), hostNetwork: fc.boolean() },
      { requiredKeys: [] },
    ),
  }),
  { minLength: 1, maxLength: 120 },
);

describe('of any number of pods at one place', () => {
  test('those are listed that come first where all are put into words and sorted', () => {
    fc.assert(
      fc.property(crowd, (sketches) => {
        const pods = sketches.map((sketch, at) => pod({ ...sketch, name: `p${(at * 37) % 120}` }));
        const policy = team(90);
        const seen = {
          generation: 1,
          neighbourhoods: [{ namespace: namespace(), pods }],
          others: [policy],
          facts: noAgents,
        };
        expect(assessed(policy, seen)).toEqual(recount(policy, seen));
      }),
    );
  });

  test('no more are put into words than can be listed', () => {
    const pods = Array.from({ length: 30_000 }, (_, at) =>
      pod({ name: `p${30_000 - at}`, phase: 'Pending' }),
    );
    const policy = team(90);
    const counted = countedOf(policy, {
      ...{ neighbourhoods: [{ namespace: namespace(), pods }], others: [], facts: noAgents },
    });
    const edition = { generation: 1, digest: 1 };
    let said = 0;
    const { effective } = policy;
    const telling: EffectivePolicy = {
      ...policy,
      effective: {
        ...effective,
        get idleTimeoutSeconds() {
          said += 1;
          return effective.idleTimeoutSeconds;
        },
      },
    };
    const { findings, findingsTotal } = assess(telling, { edition, counted, facts: noAgents });
    expect([findings.length, findingsTotal]).toEqual([findingLimit, 30_000]);
    expect(findings[0]).toMatchObject({ reason: 'NotDeclared', pod: 'p1' });
    expect(said).toBeLessThan(2 * findingLimit);
  });
});
