import { expect } from '@jest/globals';

import type { Bench } from '../e2e/shared.ts';

/** What ss says that is left until the kernel speaks on an idle connection, in seconds; undefined where it never will. */
function secondsLeft(line: string): number | undefined {
  // ss writes `1min29sec`, `15sec`, and below ten seconds `9.980ms`, which are seconds, or `980ms`.
  const [, minutes = '0', number, unit] = /keepalive,(?:(\d+)min)?(?:([\d.]+)(ms|sec))?,/.exec(line) ?? [];
  if (number === undefined) return line.includes('keepalive,') ? Number(minutes) * 60 : undefined;
  const isBelowSecond = unit === 'ms' && !number.includes('.');
  return Number(minutes) * 60 + (isBelowSecond ? Number(number) / 1000 : Number(number));
}

/** A network of a node: that of the process `inside`, or the node's own. */
export interface NodeNetwork {
  readonly node: string;
  readonly inside?: string | undefined;
}

/**
 * Connections of this network to this port speak in time: each is watched until its clock was set anew, for
 * one that was not repaired shows little too when its longer time is nearly over.
 */
export async function untilSpeaks(
  bench: Bench,
  { node, inside }: NodeNetwork,
  port: string,
  seconds: number,
): Promise<void> {
  const enter = inside === undefined ? '' : `nsenter -t ${inside} -n `;
  let earlier: number | undefined;
  let most = 0;
  await bench.until(
    `a connection of ${node} has spoken`,
    async () => {
      const said = await bench.cluster.onNode(node, `${enter}ss -tnoH state established 'dport = :${port}'`);
      const lefts = said.trim().split('\n').map(secondsLeft);
      expect(lefts).toEqual([expect.any(Number)]);
      const [left = 0] = lefts;
      const isAnew = earlier !== undefined && left > earlier + 1;
      earlier = left;
      most = Math.max(most, left);
      return isAnew;
    },
    { everyMs: 500 },
  );
  expect(most).toBeLessThanOrEqual(seconds);
}
