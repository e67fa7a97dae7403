import { derive } from '../../src/api/derive.ts';
import type { Keepalive } from '../../src/api/keepalive.ts';
import { presets } from '../../src/api/presets.ts';
import { secondProbeSeconds } from '../../src/api/triple.ts';

const aws = presets['aws-nlb'].idleTimeoutSeconds;
const ipvs = presets['kube-proxy-ipvs'].idleTimeoutSeconds;

/** What stands between the members, and the three values; docs/values.md has the same table. */
export const replicaSetRows = [
  row('a NAT that forgets after 90 s', 90),
  row(`AWS NAT gateway or NLB, ${aws} s`, aws),
  // MongoDB itself advises a time of about 120 s.
  row(`IPVS, ${ipvs} s, with timeSeconds: 120`, ipvs, { timeSeconds: 120 }),
];

/** Which three values a replica set should use, and why. */
export const replicaSetAdvice = [
  'A replica set: net.ipv4.tcp_keepalive_time / _intvl / _probes in the pods of all members and all clients',
  ...replicaSetRows.map(
    ({ between, values, firstAndSecond: [first, second] }) =>
      `  ${between.padEnd(34)}  ${values.padEnd(13)}  probes at ${first} and ${second} s`,
  ),
  'A third of the timeout until the first probe, a sixth of the rest between two, and as many as it takes to give up no',
  'sooner than the path. mongod lowers the time of its own sockets to 300 s, which is too late for 90; this driver sets',
  '300 s / 1 s / 10 on every connection, unless keepAliveInitialDelay is 0, which leaves the values to the kernel.',
].join('\n');

function row(between: string, idleTimeoutSeconds: number, declared: Keepalive = {}) {
  const triple = derive(idleTimeoutSeconds, declared);
  const { timeSeconds, intervalSeconds, probes } = triple;
  return {
    between,
    values: `${timeSeconds} / ${intervalSeconds} / ${probes}`,
    firstAndSecond: [timeSeconds, secondProbeSeconds(triple)] as const,
  };
}
