import * as z from 'zod';

import type { Hop } from './hop.ts';
import { shortestHop, shortestHopCel, trackingTimeoutsCel } from './path.ts';
import type { Rule } from './rule.ts';

/**
 * What a new network namespace starts with: net/ipv4/tcp_ipv4.c, tcp_sk_init, with the constants of
 * include/net/tcp.h (TCP_KEEPALIVE_TIME, TCP_KEEPALIVE_INTVL in seconds, TCP_KEEPALIVE_PROBES).
 * No value of ours is ever looser.
 */
export const kernelDefaults = { timeSeconds: 7200, intervalSeconds: 75, probes: 9 } as const;

export const keepaliveSchema = z.object({
  timeSeconds: z
    .int32()
    .min(1)
    .max(kernelDefaults.timeSeconds)
    .optional()
    .describe(
      'Silence before the first probe, in seconds (tcp_keepalive_time). Derived: a third of the shortest idle timeout.',
    ),
  intervalSeconds: z
    .int32()
    .min(1)
    .max(kernelDefaults.intervalSeconds)
    .optional()
    .describe(
      'Seconds between unanswered probes (tcp_keepalive_intvl). Derived: a ninth of the shortest idle timeout.',
    ),
  probes: z
    .int32()
    .min(1)
    .max(kernelDefaults.probes)
    .optional()
    .describe(
      'Unanswered probes after which the connection is given up (tcp_keepalive_probes). Derived: 6, fewer where the last would be late.',
    ),
});
export type Keepalive = z.infer<typeof keepaliveSchema>;

interface WithPath {
  path: Hop[];
  keepalive?: Keepalive | undefined;
}

/**
 * Seconds until the last probe has gone out, with the least possible value for everything left out:
 * what a derivation can still choose must not make a declaration invalid.
 */
function earliestLastProbe({ timeSeconds = 1, intervalSeconds = 1, probes = 1 }: Keepalive): number {
  return timeSeconds + (probes - 1) * intervalSeconds;
}

const given = (field: string) => `(has(self.keepalive.${field}) ? self.keepalive.${field} : 1)`;
const earliestLastProbeCel = `${given('timeSeconds')} + (${given('probes')} - 1) * ${given('intervalSeconds')}`;

/** CEL has no `let` in a CRD: a list of one and a macro over it name a value. */
const withTimeout = (body: string) => `[${trackingTimeoutsCel}.min()].map(t, ${body})[0]`;

/** The last of the probes must fall before the shortest idle timeout: the promise for declared values too. */
export const keepaliveRule: Rule<WithPath> = {
  rule: `!has(self.keepalive) || ${trackingTimeoutsCel}.all(t, ${earliestLastProbeCel} < t)`,
  message:
    'timeSeconds + (probes - 1) x intervalSeconds must be below the shortest idle timeout of the path: lower them or leave them out',
  messageExpression: withTimeout(
    `'timeSeconds ' + string(${given('timeSeconds')}) + ' + (probes ' + string(${given('probes')}) + ' - 1) x intervalSeconds ' + string(${given('intervalSeconds')}) + ' = ' + string(${earliestLastProbeCel}) + ' s is not below the ' + string(t) + ' s after which ' + ${shortestHopCel('t')} + ' forgets: lower them or leave them out'`,
  ),
  check: ({ path, keepalive = {} }) => {
    const hop = shortestHop(path);
    return hop === undefined || earliestLastProbe(keepalive) < hop.idleTimeoutSeconds;
  },
  explain: ({ path, keepalive = {} }) => {
    const { timeSeconds = 1, intervalSeconds = 1, probes = 1 } = keepalive;
    const hop = shortestHop(path);
    return (
      `timeSeconds ${timeSeconds} + (probes ${probes} - 1) x intervalSeconds ${intervalSeconds} = ` +
      `${earliestLastProbe(keepalive)} s is not below the ${hop?.idleTimeoutSeconds} s after which ${hop?.name} forgets: ` +
      'lower them or leave them out'
    );
  },
};
