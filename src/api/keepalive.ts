import * as z from 'zod';

import type { Hop, ResolvedHop } from './hop.ts';
import { tracksPackets } from './hop.ts';
import { hopFactsCel, hopsWithinCel, resolvePath } from './path.ts';
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

const late = hopsWithinCel(earliestLastProbeCel, 'true');
/** One format() at the end: the API server cannot bound the length of a number as text, so no `+` may follow it. */
const explanation =
  "'timeSeconds %d + (probes %d - 1) x intervalSeconds %d = %d s is not below the %d s after which %s forgets: lower them or leave them out'" +
  `.format([dyn(${given('timeSeconds')}), dyn(${given('probes')}), dyn(${given('intervalSeconds')}), ` +
  `dyn(${earliestLastProbeCel}), dyn(${hopFactsCel.idleTimeoutSeconds}), dyn(${hopFactsCel.name})])`;

/** The last of the probes must fall before every idle timeout: the promise for declared values too. */
export const keepaliveRule: Rule<WithPath> = {
  rule: `!has(self.keepalive) || size(${late}) == 0`,
  message:
    'timeSeconds + (probes - 1) x intervalSeconds must be below the shortest idle timeout of the path: lower them or leave them out',
  messageExpression: `${hopsWithinCel(earliestLastProbeCel, explanation)}[0]`,
  check: ({ path, keepalive }) => keepalive === undefined || lateFor(path, keepalive) === undefined,
  explain: ({ path, keepalive = {} }) => {
    const { timeSeconds = 1, intervalSeconds = 1, probes = 1 } = keepalive;
    const forgets = lateFor(path, keepalive);
    return (
      `timeSeconds ${timeSeconds} + (probes ${probes} - 1) x intervalSeconds ${intervalSeconds} = ` +
      `${earliestLastProbe(keepalive)} s is not below the ${forgets?.idleTimeoutSeconds} s after which ` +
      `${forgets?.name} forgets: lower them or leave them out`
    );
  },
};

/** The first declared hop that forgets before the last probe. */
function lateFor(path: Hop[], keepalive: Keepalive): ResolvedHop | undefined {
  return resolvePath(path)
    .filter(tracksPackets)
    .find((candidate) => candidate.idleTimeoutSeconds <= earliestLastProbe(keepalive));
}
