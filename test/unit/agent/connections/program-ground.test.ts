import { getSystemErrorName } from 'node:util';

import { expect, test } from '@jest/globals';

import { isPassing } from '../../../../src/agent/connections/program-ground.ts';

/** As Linux numbers them; 524 is its own, and no program is meant to see it. */
test.each([
  ['EPERM', 1, false],
  ['ENOENT', 2, false],
  ['ESRCH', 3, false],
  ['E2BIG', 7, false],
  ['EBADF', 9, false],
  ['EACCES', 13, false],
  ['EINVAL', 22, false],
  ['ENOSYS', 38, false],
  ['EOPNOTSUPP', 95, false],
  ['ENOTSUPP', 524, false],
  ['EINTR', 4, true],
  ['EAGAIN', 11, true],
  ['ENOMEM', 12, true],
  ['EBUSY', 16, true],
  ['ENOSPC', 28, true],
])('whether what failed may pass is known by the number of the kernel: %s, %i', (_, number, passes) => {
  const code = getSystemErrorName(-number);
  expect(isPassing(Object.assign(new Error(`${code} at load`), { code }))).toBe(passes);
});

test('what libbpf itself refuses, and what was found missing, does not pass', () => {
  expect(isPassing(Object.assign(new Error('libbpf'), { code: "libbpf's 4002" }))).toBe(false);
  expect(isPassing(new Error('no BTF'))).toBe(false);
});
