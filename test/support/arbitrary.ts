import fc from 'fast-check';

import { idleTimeoutBounds } from '../../src/api/idle-timeout.ts';
import type { Keepalive } from '../../src/api/keepalive.ts';
import { kernelDefaults, latestSecondProbe } from '../../src/api/triple.ts';
import type { Requirement } from '../../src/policy/requirement.ts';
import { behind } from './builder.ts';

/** Short ones as often as all others: most of what is special happens there. */
export const timeouts = fc.oneof(
  fc.integer({ min: idleTimeoutBounds.min, max: 100 }),
  fc.integer({ min: idleTimeoutBounds.min, max: idleTimeoutBounds.max }),
);

export const declaredValues: fc.Arbitrary<Keepalive> = fc.record(
  {
    timeSeconds: fc.oneof(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: kernelDefaults.timeSeconds }),
    ),
    intervalSeconds: fc.integer({ min: 1, max: kernelDefaults.intervalSeconds }),
    probes: fc.integer({ min: 1, max: kernelDefaults.probes }),
  },
  { requiredKeys: [] },
);

/** As one valid policy asks: its declared values leave room for two probes. */
export const requirements: fc.Arbitrary<Requirement> = fc
  .record({ idleTimeoutSeconds: timeouts, declared: declaredValues })
  .filter(({ idleTimeoutSeconds, declared }) => {
    const { timeSeconds = 1, intervalSeconds = 1, probes = 2 } = declared;
    return probes >= 2 && timeSeconds + intervalSeconds <= latestSecondProbe(idleTimeoutSeconds);
  })
  .map(({ idleTimeoutSeconds, declared }) => behind(idleTimeoutSeconds, declared));

/** What a kernel can hold. */
export const heldValues = fc.record({
  timeSeconds: fc.oneof(fc.integer({ min: 0, max: 9000 }), fc.constant<number>(kernelDefaults.timeSeconds)),
  intervalSeconds: fc.oneof(
    fc.integer({ min: 0, max: 100 }),
    fc.constant<number>(kernelDefaults.intervalSeconds),
  ),
  probes: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant<number>(kernelDefaults.probes)),
});

/** What a kernel holds where anybody may have set it: it takes times that are no times. */
export const kernelValues = fc.oneof(
  heldValues,
  fc.record({
    timeSeconds: fc.constantFrom(-2_147_483, -5, 0, 30),
    intervalSeconds: fc.constantFrom(-5, 0, 10),
    probes: fc.constantFrom(0, 6),
  }),
);
