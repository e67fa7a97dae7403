import { format } from 'node:util';

import * as z from 'zod';

import type { Hop } from './hop.ts';
import type { ResolvedHop } from './resolved-hop.ts';
import { shortestHop } from './resolved-hop.ts';
import { derive } from './derive.ts';
import { hopFactsCel, hopsCel } from './path.ts';
import type { Rule } from './rule.ts';
import { withRules } from './rule.ts';
import { kernelDefaults, latestSecondProbe, shortestTimeout } from './triple.ts';

/** Why nothing above the kernel's own can be asked for, and what to do instead. */
function atMost(limit: number, instead: string): Rule<number> {
  return {
    rule: `self <= ${limit}`,
    message: `${limit} is the kernel's own, and values are only ever made stricter: ${instead}`,
    check: (value) => value <= limit,
  };
}
const seconds = (limit: number) =>
  withRules(z.int32().min(1).max(limit), [atMost(limit, 'declare less, or leave it out to have it derived')]);

export const keepaliveSchema = z.object({
  timeSeconds: seconds(kernelDefaults.timeSeconds)
    .optional()
    .describe(
      'Silence before the first probe, in seconds (tcp_keepalive_time). Derived: a third of the shortest idle timeout.',
    ),
  intervalSeconds: seconds(kernelDefaults.intervalSeconds)
    .optional()
    .describe(
      'Seconds between unanswered probes (tcp_keepalive_intvl). Derived: a sixth of what is left of the shortest idle timeout after timeSeconds.',
    ),
  probes: withRules(z.int32().min(1).max(kernelDefaults.probes), [
    atMost(
      kernelDefaults.probes,
      `for more patience raise intervalSeconds, to ${kernelDefaults.intervalSeconds} at most`,
    ),
  ])
    .optional()
    .describe(
      'Unanswered probes after which the connection is given up (tcp_keepalive_probes). Derived: as many as it takes to give up no sooner than the shortest idle timeout.',
    ),
});
export type Keepalive = z.infer<typeof keepaliveSchema>;

interface WithPath {
  path: Hop[];
  keepalive?: Keepalive | undefined;
}

const given = (field: keyof Keepalive, least: number) =>
  `(has(self.keepalive.${field}) ? self.keepalive.${field} : ${least})`;
/** With the least possible value for what is left out: what a derivation can still choose must not make it invalid. */
const declaredCel = {
  time: given('timeSeconds', 1),
  interval: given('intervalSeconds', 1),
  probes: given('probes', 2),
};
/** CEL: `body` with `name` for `value`, which is worked out once. */
const letCel = (name: string, value: string, body: string) => `[${value}].map(${name}, ${body})[0]`;

/** CEL of hop `h`: no two probes are due before it forgets; latestSecondProbe() in whole numbers. */
const tooLate = letCel(
  't',
  hopFactsCel.idleTimeoutSeconds,
  `${declaredCel.probes} < 2 || ${declaredCel.time} + ${declaredCel.interval} > (t < 4 ? 2 : (8 * t + 8) / 9 - 1)`,
);
const timeoutsCel = hopsCel('true', `int(${hopFactsCel.idleTimeoutSeconds})`);
/** Of a path on which a hop is too late, the first of those that forget soonest, which is too: what does behind it does behind all. */
const soonest = (item: string) =>
  letCel('m', `${timeoutsCel}.min()`, `${hopsCel(`${hopFactsCel.idleTimeoutSeconds} == m`, item)}[0]`);

const refusal =
  'keepalive leaves no room for two probes before %s forgets at %d s, since the timer of the kernel may be an eighth ' +
  'late: (timeSeconds + intervalSeconds) x 9/8 must stay below that, with 2 probes or more. ' +
  'timeSeconds %d, intervalSeconds %d and probes %d would do, and are what you get where you leave them out';

/** derive() once more, for a path without declared values. One format() at the end: the API server cannot bound the length of a number as text, so no `+` may follow it. */
const explanation = letCel(
  't',
  hopFactsCel.idleTimeoutSeconds,
  letCel(
    'time',
    `t < 3 ? 1 : t / 3 > ${kernelDefaults.timeSeconds} ? ${kernelDefaults.timeSeconds} : t / 3`,
    letCel(
      'interval',
      `(t - time + 5) / 6 > ${kernelDefaults.intervalSeconds} ? ${kernelDefaults.intervalSeconds} : (t - time + 5) / 6`,
      letCel(
        'probes',
        `t < 4 ? 2 : t <= 6 ? t - time : (t - time + interval - 1) / interval < 6 ? 6 : ` +
          `(t - time + interval - 1) / interval > ${kernelDefaults.probes} ? ${kernelDefaults.probes} : (t - time + interval - 1) / interval`,
        `'${refusal}'.format([dyn(${hopFactsCel.name}), dyn(t), dyn(time), dyn(interval), dyn(probes)])`,
      ),
    ),
  ),
);

/** Declared values too must be enough. */
export const keepaliveRule: Rule<WithPath> = {
  rule: `!has(self.keepalive) || size(${hopsCel(tooLate, 'true')}) == 0`,
  message:
    'keepalive leaves no room for two probes before the shortest idle timeout of the path: lower timeSeconds and intervalSeconds or leave them out',
  messageExpression: soonest(explanation),
  check: ({ path, keepalive }) => keepalive === undefined || lateFor(path, keepalive) === undefined,
  explain: ({ path, keepalive = {} }) => {
    const { name = '', idleTimeoutSeconds = shortestTimeout } = lateFor(path, keepalive) ?? {};
    const { timeSeconds, intervalSeconds, probes } = derive(idleTimeoutSeconds);
    return format(refusal, name, idleTimeoutSeconds, timeSeconds, intervalSeconds, probes);
  },
};

/** The hop that forgets first, where it does so before a second probe. */
function lateFor(path: Hop[], keepalive: Keepalive): ResolvedHop | undefined {
  const { timeSeconds = 1, intervalSeconds = 1, probes = 2 } = keepalive;
  const hop = shortestHop(path);
  if (hop === undefined) return undefined;
  const isLate = probes < 2 || timeSeconds + intervalSeconds > latestSecondProbe(hop.idleTimeoutSeconds);
  return isLate ? hop : undefined;
}
