import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';

import { ConnectionProgram } from '../../src/kernel/connection-program.ts';
import { isAlive, processes } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';
import { Ground } from './connection-ground.ts';
import { script } from './script.ts';

jest.setTimeout(120_000);

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.start();
});
afterEach(() => ConnectionProgram.removeAll(ground.pinFolder));
afterAll(() => ground.stop());

test('what loads the program ends with the agent that started it, and leaves nothing for the next one to stumble over', async () => {
  const { objectFile, groupFolder, pinFolder } = ground;
  const options = JSON.stringify({ procRoot: '/proc', objectFile, groupFolder, pinFolder });
  const [node = '', ...args] = script('opener.ts');
  const agent = spawn(node, [...args, options], { stdio: 'inherit' });
  const loader = await until(
    'it is loaded',
    () =>
      processes().find(
        ({ parent, argv }) =>
          parent === agent.pid && argv.some((one) => one.includes('connection-load-process')),
      ),
    { everyMs: 5 },
  );
  const ended = once(agent, 'exit');
  agent.kill('SIGKILL');
  await ended;
  await until('the loader has ended', () => !isAlive(loader));
  expect(existsSync(pinFolder) ? readdirSync(pinFolder) : []).toEqual([]);
});

test('what somebody else pins or removes meanwhile is not taken for the word of the kernel', async () => {
  const first = await ground.open();
  const { countless, folder } = first;
  first.close();
  // One name is taken at the first moment at which there is a folder for it.
  const intrude = `console.log('ready');
    for (;;) try { require('node:fs').symlinkSync('nowhere', ${JSON.stringify(join(folder, 'born'))}); break; } catch {}`;
  // It may come too late.
  for (let hasIntruded = false; !hasIntruded;) {
    ConnectionProgram.removeAll(ground.pinFolder);
    const intruder = spawn(process.execPath, ['-e', intrude], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(intruder.stdout, 'data');
    const program = await ground.open();
    const ended = once(intruder, 'exit');
    intruder.kill('SIGKILL');
    hasIntruded = intruder.exitCode === 0 || isDeepStrictEqual(await ended, [0, null]);
    expect(program.countless).toBe(countless);
    expect(program.isWhole).toBe(true);
    program.close();
  }
});
