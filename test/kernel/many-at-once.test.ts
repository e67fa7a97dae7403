import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import { giveUpSeconds } from '../../src/api/triple.ts';
import type { ConnectionProgram } from '../../src/kernel/connection-program.ts';
import { sweep } from '../../src/kernel/connection-program.ts';
import { workedOut } from '../../src/policy/worked-requirement.ts';
import { behind } from '../support/builder.ts';
import { compiled } from './compiled.ts';
import { Ground } from './connection-ground.ts';
import type { Pod } from './machine.ts';
import { Scanner } from './scanning.ts';

jest.setTimeout(180_000);
const requirement = behind(90);
/** Each with both ends in the pod: what they send waits in the queue of a processor, which has room for 1,000 packets. */
const programs = 8;
const connections = 500;
const all = programs * connections * 2;

let ground: Ground;
let idle: string;
let program: ConnectionProgram;
beforeAll(async () => {
  ground = await Ground.start();
  program = await ground.open();
  idle = await compiled('../cluster/images/idle', ground.machine.folder);
});
afterAll(() => ground.stop());

/** Programs are told apart by what they are started with. */
async function fill(pod: Pod, firstPort: number): Promise<void> {
  await ground.machine.run(pod, 'ip', 'link', 'set', 'lo', 'up');
  await ground.machine.run(pod, 'ip', 'addr', 'add', '10.9.0.1/32', 'dev', 'lo');
  for (let at = 0; at < programs; at += 1) {
    const argv = [idle, 'hold', '10.9.0.1', `${firstPort + at}`, `${connections}`];
    await ground.machine.program(pod, argv);
  }
}

test('thousands of idle connections that are given values at once do not lose each other’s probes', async () => {
  const { client, server } = ground.pods;
  await fill(client, 7100);
  await fill(server, 7200);
  program.order(ground.client.cookie, workedOut(requirement));
  const swept = ground.client.inside(() => [...sweep(program.folder)].flat());
  const target = { place: server.place, wanted: requirement, timeouts: [90], everySocket: true };
  const { readings } = await new Scanner(ground.machine).look([target]);
  expect(swept.filter(({ repaired }) => repaired)).toHaveLength(all);
  // Besides those that listen.
  expect(readings[0]?.repaired).toBe(all + programs);
  // Whoever was not answered is given up by then.
  await delay((giveUpSeconds(workedOut(requirement).values) + 6) * 1000);
  const open = await Promise.all([client, server].map((pod) => ground.machine.connections(pod)));
  expect(open.map((lines) => lines.length)).toEqual([all, all]);
});
