import { expect, test } from '@jest/globals';

import { KernelLink } from '../../../src/agent/kernel-link.ts';

test('a thread that cannot start is told of, and whoever asks it gets an error instead of waiting', async () => {
  // A ledger where no folder can be made: nothing could be put back, so nothing may be changed.
  const link = new KernelLink({ procRoot: '/proc', ledgerFile: '/dev/null/ledger' });
  await expect(link.broken).rejects.toThrow(/ENOTDIR|EEXIST/);
  await expect(link.visit([], new Map())).rejects.toThrow();
  await expect(link.discover()).rejects.toThrow();
  await expect(link.reached).rejects.toThrow();
  expect(link.secondsWaiting).toBe(0);
  await link.close();
});
