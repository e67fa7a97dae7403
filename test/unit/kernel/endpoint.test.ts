import { expect, test } from '@jest/globals';

import { describeEndpoint, isLoopback } from '../../../src/kernel/endpoint.ts';

const v4 = (...bytes: number[]) => Buffer.from([...Array<number>(10).fill(0), 0xff, 0xff, ...bytes]);
const v6 = (hex: string) => Buffer.from(hex, 'hex');

test.each([
  [v4(192, 0, 2, 1), '192.0.2.1:443', false],
  [v4(127, 0, 0, 1), '127.0.0.1:443', true],
  [v4(127, 8, 0, 1), '127.8.0.1:443', true],
  [v6('20010db8000000000000000000000001'), '[2001:db8::1]:443', false],
  [v6('00000000000000000000000000000001'), '[::1]:443', true],
  [v6('fe800000000000000123456789abcdef'), '[fe80::123:4567:89ab:cdef]:443', false],
  [v6('20010db8000100020003000400050006'), '[2001:db8:1:2:3:4:5:6]:443', false],
])('%j is %s; loopback: %s', (address, text, loopback) => {
  expect(describeEndpoint({ address, port: 443 })).toBe(text);
  expect(isLoopback({ address, port: 443 })).toBe(loopback);
});
