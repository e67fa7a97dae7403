import { expect, test } from '@jest/globals';

import { listsTcp, timeoutsIn } from '../../../src/kernel/ipvs.ts';

/** As Linux prints them, net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_info_seq_show. */
const headings =
  'IP Virtual Server version 1.2.1 (size=4096)\n' +
  'Prot LocalAddress:Port Scheduler Flags\n' +
  '  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n';
const server =
  '  -> [fd00:0000:0000:0000:0000:0000:0000:0002]:01BB      Masq    1      0          0         \n';

test.each([
  ['no service', '', false],
  [
    'one of IPv4',
    'TCP  0A600001:01BB rr  \n  -> 0A070001:192B      Masq    1      3          0         \n',
    true,
  ],
  ['one of IPv6', `TCP  [fd00:0000:0000:0000:0000:0000:0000:0001]:01BB rr \n${server}`, true],
  [
    'one of IPv6 that is persistent',
    `TCP  [fd00:0000:0000:0000:0000:0000:0000:0001]:01BB rr persistent 10800 00000080\n`,
    true,
  ],
  ['one of a mark of the firewall, which tells no protocol', `FWM  00000007 wlc \n${server}`, true],
  ['one of UDP', `UDP  [fd00:0000:0000:0000:0000:0000:0000:000a]:0035 rr \n${server}`, false],
  ['one of SCTP', 'SCTP  0A600001:0B59 rr  \n', false],
  [
    'one after one of UDP',
    `UDP  [fd00:0000:0000:0000:0000:0000:0000:000a]:0035 rr \n${server}TCP  [fd00:0000:0000:0000:0000:0000:0000:000a]:0035 rr \n`,
    true,
  ],
])('a list of IPVS with %s', (_what, services, expected) => {
  expect(listsTcp(headings + services)).toBe(expected);
});

const answer = (...numbers: number[]) => {
  const bytes = Buffer.alloc(12);
  numbers.forEach((value, at) => bytes.writeInt32LE(value, at * 4));
  return bytes;
};

test('timeouts are those of established connections, of what has sent its FIN, and of UDP', () => {
  expect(timeoutsIn(answer(900, 120, 300))).toEqual({ tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 });
});

test.each([0, -1])('a timeout of %i s for TCP is none: a kernel whose IPVS knows UDP alone', (seconds) => {
  expect(timeoutsIn(answer(seconds, 0, 300))).toBeUndefined();
});
