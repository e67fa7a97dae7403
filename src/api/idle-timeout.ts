/**
 * Seconds. Two is the shortest silence that a probe, sent after one whole second, can fall into;
 * 432000 (5 days) is the longest default in use: Linux conntrack, nf_conntrack_tcp_timeout_established.
 */
export const idleTimeoutBounds = { min: 2, max: 432_000 } as const;
