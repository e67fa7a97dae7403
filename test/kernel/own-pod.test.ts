import { once } from 'node:events';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { asking } from '../support/builder.ts';
import { Agent } from './agent.ts';
import { Machine } from './machine.ts';
import { script } from './script.ts';

let machine: Machine;
beforeEach(async () => {
  machine = await Machine.start();
});
afterEach(() => machine.stop());

test('an agent in a control group namespace of its own, as with version 2, finds its own pod, others, and their sockets', async () => {
  const [own, other] = [await machine.pod(), await machine.pod()];
  await machine.link(own, other);
  await machine.program(own, [...script('talker.ts'), 'serve', '10.7.0.1', '7000']);
  await machine.program(other, [...script('talker.ts'), 'connect', '10.7.0.1', '7000', '2', 'deaf']);
  const procs = join(machine.groups, own.group, 'cgroup.procs');
  const agent = new Agent(machine, 5000, [
    ...['bash', '-c', 'echo 0 > "$0"; exec unshare --cgroup "$@"', procs],
  ]);
  const visit = [own, other].map(({ place }) => ({ place, wanted: asking(90), anew: false, asked: true }));
  agent.tell({ visit });
  const readings = await until(
    'both were visited',
    () => agent.said.find((said) => said.readings !== undefined)?.readings,
  );
  expect(readings.map(({ state }) => state)).toEqual(['read', 'read']);
  agent.look(own, other);
  const counts = { established: 2, protected: 2 };
  expect(await agent.readings(own, 1)).toMatchObject([{ byTimeout: { 90: counts } }]);
  expect(await agent.readings(other, 1)).toMatchObject([{ byTimeout: { 90: counts } }]);
  agent.process.kill('SIGTERM');
  await once(agent.process, 'exit');
});
