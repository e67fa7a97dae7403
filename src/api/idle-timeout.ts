/**
 * Seconds. Two is the shortest silence that a probe, sent after one whole second, can fall into;
 * 432000 (5 days) is the longest default in use: Linux conntrack, nf_conntrack_tcp_timeout_established.
 */
export const idleTimeoutBounds = { min: 2, max: 432_000 } as const;

/**
 * What people paste from the settings of products: `350s`, `never`, 0 for never, weeks. The CRD lets a text pass
 * its type, so that a rule can refuse it in words that help, where the API server would only name the type.
 */
export const idleTimeoutMessages = {
  type: 'idleTimeoutSeconds is a whole number of seconds without a unit: 350 for "350s", 240 for "4m". A hop that never forgets needs no mention: leave it out',
  min: `a hop forgets after ${idleTimeoutBounds.min} s at the soonest, or no probe comes in time. Where 0 or less stands for never, leave the hop out`,
  max: `a hop that forgets after more than ${idleTimeoutBounds.max} s (5 days), or never, asks for nothing: leave it out, or declare ${idleTimeoutBounds.max}. If these are milliseconds, divide by 1000`,
} as const;
