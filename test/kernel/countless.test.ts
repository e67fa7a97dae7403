import { readFileSync, writeFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import { ServedPlaces } from '../../src/agent/connections/served-places.ts';
import { SocketLink } from '../../src/agent/connections/socket-link.ts';
import { KernelLink } from '../../src/agent/kernel-link.ts';
import { createAgentMetrics } from '../../src/ops/agent-metrics.ts';
import { createLog } from '../../src/ops/log.ts';
import { until } from '../cluster/wait.ts';
import { asking, behind } from '../support/builder.ts';
import { unspreadOfUsual } from '../support/unspread.ts';
import { Ground } from './connection-ground.ts';
import { optionsOf } from './plain-socket.ts';

jest.setTimeout(60_000);

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.start();
  await ground.machine.host.execOrThrow(['mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf'], { cwd: '/' });
});
afterAll(() => ground.stop());

/** No kernel has what this counts by. */
function countless(): string {
  const objectFile = `${ground.objectFile}.countless`;
  const object = readFileSync(ground.objectFile, 'latin1');
  const without = object.replaceAll('iter/bpf_sk_storage_map', 'iter/bpf_sk_storage_mat');
  writeFileSync(objectFile, without, 'latin1');
  return objectFile;
}

test('where the kernel does not count, what was open has its values all the same, where no descriptor leads too', async () => {
  const { procRoot, ledgerFile, pods } = ground.machine;
  const ofGround = [ground.pods.client, ground.pods.server];
  const log = createLog({ level: 'silent', base: {} });
  const metrics = createAgentMetrics({ version: 'test', places: () => 0, reflectors: () => [] });
  const kernel = new KernelLink({ procRoot, ledgerFile, objectFile: countless() });
  const link = new SocketLink({ procRoot, log });
  const left: unknown[] = [];
  const places = new ServedPlaces({
    ...{ kernel, link, log, metrics, countMs: 1000, onIdle: () => link.rest(), onCounted: () => undefined },
    onLeft: (targets) => left.push(targets),
  });
  try {
    const visits = ofGround.map(({ place }) => ({ place, wanted: asking(90), anew: false, asked: true }));
    await kernel.visit(visits, pods);
    const { means } = await kernel.reached;
    expect(means.by).toBe('BPF');
    expect(means.why).toMatch(/^E\w+ at load/);
    const listener = ground.serve();
    const connection = ground.connect();
    expect(optionsOf(connection).keepalive).toBe(false);
    places.follow({
      targets: ofGround.map(({ place }) => ({ place, wanted: behind(90), timeouts: [90] })),
      ...{ hostPods: new Set(), running: new Set(), pods, held: new Set() },
    });
    const given = async () => (await metrics.sockets.get()).values[0]?.value;
    await until('both ends are given their values', async () => (await given()) === 2);
    // Nobody had accepted it.
    const both = [connection, ground.accept(listener)].map((fd) => unspreadOfUsual(optionsOf(fd)));
    expect(both).toMatchObject([
      { keepalive: true, timeSeconds: 30 },
      { keepalive: true, timeSeconds: 30 },
    ]);
    expect(left).toEqual([]);
  } finally {
    await places.stop();
    link.close();
    await kernel.removeConnections();
    await kernel.close();
    ground.closeSockets();
  }
});
