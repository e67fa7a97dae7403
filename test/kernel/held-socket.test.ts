import { basename, join } from 'node:path';

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import { workedOut } from '../../src/policy/worked-requirement.ts';
import { behind } from '../support/builder.ts';
import { Agent } from './agent.ts';
import { compiled } from './compiled.ts';
import { Ground, port, serverAddress } from './connection-ground.ts';
import type { Pod } from './machine.ts';
import { numberInside } from './machine.ts';

// What hangs is waited for, and a longer rest comes after each.
jest.setTimeout(60_000);

let ground: Ground;
let agent: Agent;
beforeAll(async () => {
  ground = await Ground.start();
  ground.serve();
  agent = new Agent(ground.machine, 3000);
});
afterAll(() => ground.stop());

const hold = async (pod: Pod) => {
  const peculiar = await compiled('peculiar', ground.machine.folder);
  return ground.machine.program(pod, [peculiar, 'held', serverAddress, String(port), '1']);
};

test('what one namespace holds costs the node a sweep and two looks, and other namespaces nothing', async () => {
  const { machine, pods, client } = ground;
  const [bad, good] = ['bad', 'good'];
  const other = await machine.pod();
  const lookAt = async (pod: Pod, count: number, namespace = bad) => {
    agent.lookIn(() => namespace, [pod]);
    return (await agent.readings(pod, count)).at(-1)?.leftOut;
  };
  const program = await ground.open();
  try {
    program.order(client.cookie, workedOut(behind(90)));
    await hold(pods.client);
    const network = { cookie: String(client.cookie), pid: Number(numberInside(pods.client.pid)), owner: bad };
    const pins = join('/run/bpf/keepalive', basename(program.folder));
    expect(await agent.sweep({ ...network, pins })).toBe('hung');
    // The look that tells which socket it is hangs on it as well, and what is beside it is looked at then.
    expect(await lookAt(pods.client, 1)).toEqual({ Hangs: 1 });
    expect(await lookAt(pods.client, 2)).toEqual({ Hangs: 1 });
    expect(agent.of(pods.client)[1]).toMatchObject({ byTimeout: { 90: { unknown: 1 } } });
    expect(agent.abandoned).toBe(2);
    await hold(pods.server);
    expect(await lookAt(pods.server, 1)).toEqual({ Hangs: 1 });
    expect(await lookAt(other, 1)).toEqual({ OwnerHangs: 3 });
    expect(await lookAt(other, 2, good)).toEqual({});
    expect(agent.abandoned).toBe(3);
  } finally {
    program.close();
  }
});
