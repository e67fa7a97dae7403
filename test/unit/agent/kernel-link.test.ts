import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from '@jest/globals';

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

describe('a thread that takes long', () => {
  const options = { procRoot: '/proc', ledgerFile: '/dev/null/ledger' };
  const ask = (link: KernelLink) => link.discover().catch(() => undefined);

  test('over one answer hangs only when it does no step any more', async () => {
    const link = new KernelLink(options, new URL('./long-thread.ts', import.meta.url));
    await link.turn;
    const answered = ask(link);
    await sleep(2500);
    expect(link.secondsWaiting).toBeLessThan(1);
    await link.close();
    await answered;
  });

  test('in a system call says nothing', async () => {
    const link = new KernelLink(options, new URL('./hanging-thread.ts', import.meta.url));
    await link.turn;
    const answered = ask(link);
    await sleep(1500);
    expect(link.secondsWaiting).toBeGreaterThan(1);
    await link.close();
    await answered;
  });
});
