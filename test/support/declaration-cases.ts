import type { Sysctl } from '../../src/policy/sysctl.ts';
import { sysctlNames } from '../../src/policy/sysctl.ts';
import { sysctls } from './builder.ts';

export const { timeSeconds: time, intervalSeconds: interval, probes } = sysctlNames;
const slashedTime = 'net/ipv4/tcp_keepalive_time';
export const ports: Sysctl = { name: 'net.ipv4.ip_local_port_range', value: '20000 60000' };

export const entry = (name: string, value: string): Sysctl => ({ name, value });
const spelled = (...[t, i, p]: [string, string, string]) => [
  entry(time, t),
  entry(interval, i),
  entry(probes, p),
];
/** Behind a NAT of 90 s: what a pod declares, and what it is created with. */
export const declarations: [sentence: string, have: Sysctl[], expected: Sysctl[]][] = [
  ['an empty list gets the three values', [], sysctls()],
  ['looser values are tightened', sysctls(7200, 75, 9), sysctls()],
  ['tighter values stay', sysctls(10, 3, 2), sysctls(10, 3, 2)],
  ['equal values stay', sysctls(), sysctls()],
  ['what is enough stays, though ours would be smaller', sysctls(45, 30, 2), sysctls(45, 30, 2)],
  ['what Go sets by itself stays', sysctls(15, 15, 9), sysctls(15, 15, 9)],
  [
    'what is not enough takes the smaller of each, and probes that do not give up sooner',
    sysctls(600, 9, 6),
    sysctls(30, 9, 7),
  ],
  ['probes that somebody chose stay where they are patient', sysctls(600, 75, 8), sysctls(30, 10, 8)],
  ['too few of them are raised', sysctls(600, 75, 2), sysctls(30, 10, 6)],
  ['more than the kernel’s are never made fewer', sysctls(300, 1, 10), sysctls(30, 1, 10)],
  [
    'of a key that is named twice the last counts: here it is enough',
    [entry(time, '7200'), entry(slashedTime, '15'), entry(interval, '15')],
    [entry(time, '7200'), entry(slashedTime, '15'), entry(interval, '15')],
  ],
  [
    'and here it is not, so both are set',
    [entry(time, '15'), entry(slashedTime, '7200'), entry(interval, '15')],
    [entry(time, '30'), entry(slashedTime, '30'), entry(interval, '10'), entry(probes, '6')],
  ],
  [
    'missing keys come after what was there, in our order',
    [entry(interval, '60'), ports],
    [entry(interval, '10'), ports, entry(time, '30'), entry(probes, '6')],
  ],
  [
    'other sysctls stay where they are',
    [ports, entry('net.core.somaxconn', '1024')],
    [ports, entry('net.core.somaxconn', '1024'), ...sysctls()],
  ],
  [
    'a name with slashes is the same key, and keeps its spelling',
    [entry(slashedTime, '600')],
    [entry(slashedTime, '30'), entry(interval, '10'), entry(probes, '6')],
  ],
  [
    'a tighter value under such a name stays',
    [entry(slashedTime, '5')],
    [entry(slashedTime, '5'), entry(interval, '10'), entry(probes, '9')],
  ],
  [
    'hexadecimal, octal and text are left to the kernel',
    spelled('0x1c20', '0113', 'nine'),
    spelled('0x1c20', '0113', 'nine'),
  ],
  ['so are signs, blanks and fractions', spelled('+7200', ' 75', '9.0'), spelled('+7200', ' 75', '9.0')],
  [
    'ten digits are a number, eleven are not compared',
    spelled('9999999999', '10000000000', '9'),
    spelled('30', '10000000000', '6'),
  ],
  [
    'however many probes somebody chose, they are enough',
    sysctls(15, 15, 9_999_999_999),
    sysctls(15, 15, 9_999_999_999),
  ],
  ['or stay where the rest is not', sysctls(7200, 75, 2_000_000), sysctls(30, 10, 2_000_000)],
  ['zero is none that keepalive works with', sysctls(0, 0, 0), sysctls()],
  ['not even in one place', sysctls(15, 15, 0), sysctls(15, 10, 8)],
  [
    'a value that only the kernel can read is taken to be as asked',
    [entry(time, '0x10'), entry(interval, '75')],
    [entry(time, '0x10'), entry(interval, '10'), entry(probes, '6')],
  ],
];
