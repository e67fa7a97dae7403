import type * as z from 'zod';

import type { keepalivePolicySpecSchema } from '../../src/api/spec.ts';
import type { Settings } from '../../src/api/settings.ts';
import { nat } from './builder.ts';

/** What a namespaced policy asks under some settings: held against the library and against the API server. */
export interface LimitCase {
  readonly what: string;
  readonly settings: Partial<Settings>;
  readonly spec: Partial<z.input<typeof keepalivePolicySpecSchema>>;
  /** What a refusal names; `undefined` where it is within the limits. */
  readonly beyond: string | undefined;
}

const tenSeconds = { smallestIdleTimeoutSeconds: 10 };
const fiveBetween = { smallestIntervalSeconds: 5 };

export const limitCases: readonly LimitCase[] = [
  { what: 'the smallest timeout', settings: tenSeconds, spec: { path: nat(10) }, beyond: undefined },
  { what: 'a second less', settings: tenSeconds, spec: { path: nat(9) }, beyond: 'nat (9 s)' },
  {
    what: 'a second less, in Audit too',
    settings: tenSeconds,
    spec: { path: nat(9), mode: 'Audit' },
    beyond: 'nat (9 s)',
  },
  {
    what: 'one short hop among long ones',
    settings: tenSeconds,
    spec: { path: [...nat(90), ...nat(2, 'near')] },
    beyond: 'near (2 s)',
  },
  {
    what: 'a short proxy, which no keepalive follows',
    settings: tenSeconds,
    spec: { path: [...nat(90), { name: 'web', type: 'Proxy', idleTimeoutSeconds: 5 }] },
    beyond: undefined,
  },
  {
    what: 'a preset below the limit',
    settings: { smallestIdleTimeoutSeconds: 351 },
    spec: { path: [{ preset: 'aws-nlb' }] },
    beyond: 'aws-nlb (350 s)',
  },
  {
    what: 'a preset at the limit',
    settings: { smallestIdleTimeoutSeconds: 350 },
    spec: { path: [{ preset: 'aws-nlb' }] },
    beyond: undefined,
  },
  {
    what: 'the smallest interval and time',
    settings: fiveBetween,
    spec: { path: nat(90), keepalive: { timeSeconds: 5, intervalSeconds: 5 } },
    beyond: undefined,
  },
  {
    what: 'a smaller interval',
    settings: fiveBetween,
    spec: { path: nat(90), keepalive: { intervalSeconds: 4 } },
    beyond: 'intervalSeconds',
  },
  {
    what: 'a smaller time',
    settings: fiveBetween,
    spec: { path: nat(90), keepalive: { timeSeconds: 4 } },
    beyond: 'timeSeconds',
  },
  {
    what: 'smaller values that are only derived',
    settings: fiveBetween,
    spec: { path: nat(12) },
    beyond: undefined,
  },
];
