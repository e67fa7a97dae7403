import { expect, test } from '@jest/globals';

import { remarked } from './remarked.ts';

const pod = (name: string, value: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {securityContext: {sysctls: [{name: ${name}, value: "${value}"}]}}\n`;

test.each([
  ['probes', '255', '256', 'Linux takes since 5.13'],
  ['time', '21474836', '21474837', 'Linux takes'],
  ['intvl', '21474836', '9999999999', 'Linux takes'],
])('what the kernel does not take is told of, and nothing below it: %s', async (of, most, more, who) => {
  const name = `net.ipv4.tcp_keepalive_${of}`;
  expect(await remarked(pod(name, most))).toEqual([]);
  expect(await remarked(pod(name, more))).toEqual([
    `pod-refused: ${name} is more than ${who} (${more}), and the pod never starts: write ${most} at most`,
  ]);
});
