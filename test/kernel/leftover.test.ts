import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

import { expect, test } from '@jest/globals';

import { Machine } from './machine.ts';
import { hierarchy } from './sandbox.ts';
import { script } from './script.ts';

/** A test of its own, as far as the kernel can tell: its machine stands when this resolves. */
async function startTest() {
  const [node = '', ...args] = script('hung.ts');
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [folder] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, folder: String(folder).trim() };
}

test('what a killed test left is removed by the next, and nothing of one that runs', async () => {
  const groupOf = (folder: string) => join(hierarchy, basename(folder));
  const killed = await startTest();
  const running = await startTest();
  try {
    // Looked at while it lives: from its death on, any test that starts, in another worker too, may clear up after it.
    expect(readdirSync(groupOf(killed.folder))).toContain('kubepods');
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');

    const next = await Machine.start();
    try {
      expect([existsSync(killed.folder), existsSync(groupOf(killed.folder))]).toEqual([false, false]);
      for (const folder of [running.folder, next.folder])
        expect([existsSync(folder), existsSync(groupOf(folder))]).toEqual([true, true]);
    } finally {
      await next.stop();
    }
  } finally {
    killed.child.kill('SIGKILL');
    running.child.kill('SIGTERM');
    await once(running.child, 'exit');
  }
  expect(existsSync(running.folder)).toBe(false);
});
