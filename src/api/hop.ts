import * as z from 'zod';

import { presetNames, presets } from './presets.ts';
import { hopTypes } from './resolved-hop.ts';
import type { Rule } from './rule.ts';
import { intOrTold, withRules } from './rule.ts';
import { idleTimeoutBounds, idleTimeoutMessages } from './idle-timeout.ts';

export const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const idleTimeoutRules: readonly Rule<number>[] = [
  {
    rule: `type(self) != int || self >= ${idleTimeoutBounds.min}`,
    message: idleTimeoutMessages.min,
    check: (seconds) => !Number.isInteger(seconds) || seconds >= idleTimeoutBounds.min,
  },
  {
    rule: `type(self) != int || self <= ${idleTimeoutBounds.max}`,
    message: idleTimeoutMessages.max,
    check: (seconds) => !Number.isInteger(seconds) || seconds <= idleTimeoutBounds.max,
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
