import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';

import { NodeConnections } from '../../src/agent/connections/node-connections.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { until } from '../cluster/wait.ts';
import { behind } from '../support/builder.ts';
import { Ground } from './connection-ground.ts';
import { optionsOf } from './plain-socket.ts';

jest.setTimeout(60_000);
const place = placeOfPod('one');

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.start();
  await ground.machine.host.execOrThrow(['mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf'], { cwd: '/' });
});
afterEach(() => ground.closeSockets());
afterAll(() => ground.stop());

test('what keeps connections in the kernel is loaded anew where somebody took away its pins', async () => {
  const connections = new NodeConnections({
    ...{ procRoot: ground.machine.procRoot, objectFile: ground.objectFile },
    networkOf: () => ({ cookie: ground.client.cookie, pid: ground.pods.client.pid }),
  });
  const follow = () =>
    connections.follow({
      targets: [{ place, wanted: behind(90), timeouts: [90] }],
      ...{ hostPods: new Set(), running: new Set(), pods: new Map(), held: new Set() },
    });
  const isGiven = () => optionsOf(ground.connect()).keepalive;
  try {
    ground.serve();
    expect(follow()).toMatchObject({ served: [{ place }], isAnew: false });
    expect(isGiven()).toBe(true);
    await ground.machine.host.execOrThrow(['rm', '-r', '/sys/fs/bpf/keepalive'], { cwd: '/' });
    // The kernel detaches it a moment after its last pin has gone.
    await until('it acts no more', () => !isGiven());
    expect(follow()).toMatchObject({ served: [{ place }], isAnew: true });
    expect(isGiven()).toBe(true);
  } finally {
    connections.remove();
  }
});
