import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Condition, PolicyStatus } from '../../../src/api/status.ts';
import { conditionTypes } from '../../../src/api/status.ts';
import type { BindingRecord } from '../../../src/policy/binding-step.ts';
import type { Plan } from '../../../src/policy/plan.ts';
import { activationMs } from '../../../src/policy/evidence.ts';
import { plan } from '../../../src/policy/plan.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { namespace, platform, pod, sysctls } from '../../support/builder.ts';
import { after, applied, boundTo, circumstances, record, start } from './plan-rig.ts';

const selectors = fc.constantFrom<object>({}, { matchLabels: { app: 'mongo' } });
const policies: fc.Arbitrary<EffectivePolicy> = fc
  .record({
    seconds: fc.integer({ min: 2, max: 432_000 }),
    mode: fc.constantFrom('Enforce' as const, 'Audit' as const),
    podSelector: selectors,
  })
  .map(({ seconds, ...spec }) => platform(seconds, spec));
const worlds = fc.array(
  fc
    .record({
      labels: fc.constantFrom<Record<string, string>>({}, { app: 'mongo' }),
      sysctls: fc.constantFrom(sysctls(), sysctls(7200)),
      spec: fc.constantFrom({}, { hostNetwork: true }),
    })
    .map(pod),
  { maxLength: 3 },
);

const conditions: fc.Arbitrary<Condition> = fc.record({
  type: fc.constantFrom(...conditionTypes),
  status: fc.constantFrom('True' as const, 'False' as const),
  reason: fc.constantFrom('Activating', 'Enforced', 'BindingFailed', 'InvalidSpec'),
  message: fc.constant('left by an earlier leader'),
  observedGeneration: fc.integer({ min: 1, max: 3 }),
  lastTransitionTime: fc.constantFrom('2026-05-04T09:00:00Z', '2026-05-04T09:59:59Z', '2026-05-04T10:00:00Z'),
});
/** Anything that an earlier generation, leader or version may have left. */
const leftStatuses: fc.Arbitrary<PolicyStatus> = fc.record(
  {
    observedGeneration: fc.integer({ min: 1, max: 3 }),
    effective: policies.map(({ effective }) => effective),
    findingsTotal: fc.nat({ max: 3 }),
    conditions: fc.uniqueArray(conditions, { selector: ({ type }) => type, maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const leftBindings = fc.constantFrom<(BindingRecord | undefined)[]>(
  undefined,
  boundTo(record()),
  boundTo(record(90, {}, { uid: 'u0' })),
  { ...boundTo(record()), spec: {} },
);

test('whatever was left behind: three looks lead to a rest that no later look disturbs', () => {
  const seen = new Set<Plan['binding']['do']>();
  const scenario = fc.tuple(policies, worlds, leftStatuses, leftBindings);
  fc.assert(
    fc.property(scenario, ([policy, pods, left, leftBinding]) => {
      let status = left;
      let binding = leftBinding;
      let now = start;
      let activatingForMs: number | undefined;
      const look = (): Plan => {
        const of = record(90, {}, { policy, status, generation: 3 });
        const neighbourhoods = [{ namespace: namespace(), pods }];
        const next = plan(circumstances(of, { neighbourhoods, binding, now, activatingForMs }));
        // As the controller does: an activation is timed by whoever began it.
        if (next.activation === 'none') activatingForMs = undefined;
        else activatingForMs = (next.activation === 'begins' ? 0 : (activatingForMs ?? 0)) + activationMs;
        seen.add(next.binding.do);
        status = next.status;
        binding = applied(next, binding);
        now = after(next.againAfterMs ?? 1000, now);
        return next;
      };
      for (let round = 0; round < 3; round += 1) look();
      const rest = status;
      const said = rest.conditions?.filter(({ type }) => type !== 'Covered');
      expect(said?.map(({ type, status: is }) => `${type}=${is}`)).toEqual(['Ready=True']);
      for (const wait of [0, 1, 3000, 86_400_000]) {
        now = after(wait, now);
        expect(look()).toMatchObject({ binding: { do: 'keep' }, againAfterMs: undefined });
        expect(status).toEqual(rest);
      }
    }),
    { numRuns: 1000 },
  );
  expect([...seen].sort()).toEqual(['create', 'delete', 'keep', 'replace']);
});
