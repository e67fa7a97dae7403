import * as z from 'zod';

import { presetNames, presets } from './presets.ts';
import type { Rule } from './rule.ts';
import { intOrTold, withRules } from './rule.ts';
import { idleTimeoutBounds } from './idle-timeout.ts';

/**
 * Types whose devices follow packets, so that a keepalive probe, an empty segment, refreshes them.
 * `Proxy` ends TCP on each side and counts data: no probe ever refreshes it.
 */
export const trackingTypes = ['NAT', 'IPVS', 'LoadBalancer', 'Firewall', 'Conntrack'] as const;
export const hopTypes = [...trackingTypes, 'Proxy'] as const;
export type HopType = (typeof hopTypes)[number];

export const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/**
 * What people paste from the settings of products: `350s`, `never`, 0 for never, weeks. The CRD lets a text pass
 * its type, so that a rule can refuse it in words that help, where the API server would only name the type.
 */
const idleTimeoutMessages = {
  type: 'idleTimeoutSeconds is a whole number of seconds without a unit: 350 for "350s", 240 for "4m". A hop that never forgets needs no mention: leave it out',
  min: `a hop forgets after ${idleTimeoutBounds.min} s at the soonest, or no probe comes in time. Where 0 or less stands for never, leave the hop out`,
  max: `a hop that forgets after more than ${idleTimeoutBounds.max} s (5 days), or never, asks for nothing: leave it out, or declare ${idleTimeoutBounds.max}. If these are milliseconds, divide by 1000`,
} as const;

const idleTimeoutRules: readonly Rule<number>[] = [
  {
    rule: `type(self) != int || self >= ${idleTimeoutBounds.min}`,
    message: idleTimeoutMessages.min,
    check: (seconds) => seconds >= idleTimeoutBounds.min,
  },
  {
    rule: `type(self) != int || self <= ${idleTimeoutBounds.max}`,
    message: idleTimeoutMessages.max,
    check: (seconds) => seconds <= idleTimeoutBounds.max,
  },
];

const idleTimeoutSchema = intOrTold(
  withRules(
    z
      .int32({ error: ({ input }) => (typeof input === 'string' ? idleTimeoutMessages.type : undefined) })
      .min(idleTimeoutBounds.min)
      .max(idleTimeoutBounds.max),
    idleTimeoutRules,
  ),
  idleTimeoutMessages.type,
);

export const hopSchema = z.object({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(dnsLabel)
    .optional()
    .describe(
      'Name of this hop, used in status and messages (a DNS label, at most 63 characters). ' +
        'Required with idleTimeoutSeconds; with a preset it may be left out and is then the name of the preset.',
    ),
  type: z
    .enum(hopTypes)
    .optional()
    .describe(
      'What the hop is. NAT, IPVS, LoadBalancer, Firewall and Conntrack follow packets, and a keepalive probe ' +
        'refreshes them. Proxy is whatever ends TCP itself and counts data: an application load balancer (AWS ALB), an ' +
        'ingress controller, Envoy, nginx, HAProxy, a database proxy. No probe refreshes it, and the status says what ' +
        'to set there instead. Required with idleTimeoutSeconds; a preset brings its own.',
    ),
  idleTimeoutSeconds: idleTimeoutSchema
    .optional()
    .describe(
      'After how many seconds of silence this hop forgets a connection (2 to 432000). ' +
        'Exactly one of idleTimeoutSeconds and preset.',
    ),
  preset: z
    .enum(presetNames)
    .optional()
    .describe(
      'A product whose default idle timeout is known, instead of a number: ' +
        Object.entries(presets)
          .map(([name, preset]) => `${name} (${preset.idleTimeoutSeconds} s)`)
          .join(', ') +
        '. Declare idleTimeoutSeconds where yours is configured otherwise.',
    ),
});
export type Hop = z.infer<typeof hopSchema>;

/** Rules of one hop. The messages are what a person reads at `kubectl apply`. */
export const hopRules: readonly Rule<Hop>[] = [
  {
    rule: 'has(self.preset) != has(self.idleTimeoutSeconds)',
    message:
      'a hop declares exactly one of preset and idleTimeoutSeconds. Where yours differs from a preset, declare ' +
      'name, type and idleTimeoutSeconds instead, such as {name: edge, type: LoadBalancer, idleTimeoutSeconds: 600}',
    check: (hop) => (hop.preset !== undefined) !== (hop.idleTimeoutSeconds !== undefined),
  },
  {
    rule: 'has(self.preset) || (has(self.name) && has(self.type))',
    message: `a hop without preset needs a name and a type (${hopTypes.join(', ')})`,
    check: (hop) => hop.preset !== undefined || (hop.name !== undefined && hop.type !== undefined),
  },
  {
    rule: '!has(self.preset) || !has(self.type)',
    message: 'a preset brings its own type: leave type out, or declare idleTimeoutSeconds instead of preset',
    check: (hop) => hop.preset === undefined || hop.type === undefined,
  },
];

/** A hop with everything that a preset or a default stands for filled in. */
export interface ResolvedHop {
  readonly name: string;
  readonly type: HopType;
  readonly idleTimeoutSeconds: number;
}

/** `undefined` where the hop is incomplete or names a preset this version does not know. */
export function resolveHop(hop: Hop): ResolvedHop | undefined {
  const known = hop.preset === undefined ? undefined : presets[hop.preset];
  const type = known?.type ?? hop.type;
  const idleTimeoutSeconds = known?.idleTimeoutSeconds ?? hop.idleTimeoutSeconds;
  const name = hop.name ?? hop.preset;
  if (type === undefined || idleTimeoutSeconds === undefined || name === undefined) return undefined;
  return { name, type, idleTimeoutSeconds };
}

export function tracksPackets(hop: ResolvedHop): boolean {
  return hop.type !== 'Proxy';
}
