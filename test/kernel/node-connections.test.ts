import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';

import { KernelLink } from '../../src/agent/kernel-link.ts';
import { NodeConnections } from '../../src/agent/connections/node-connections.ts';
import type { Place } from '../../src/policy/place.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { workedOut } from '../../src/policy/worked-requirement.ts';
import { until } from '../cluster/wait.ts';
import { asking, behind } from '../support/builder.ts';
import { Ground } from './connection-ground.ts';
import { optionsOf } from './plain-socket.ts';

jest.setTimeout(60_000);
const place = placeOfPod('one');

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.start();
  await run('mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf');
});
afterEach(() => ground.closeSockets());
afterAll(() => ground.stop());

const run = (...argv: string[]) => ground.machine.host.execOrThrow(argv, { cwd: '/' });
const begin = () =>
  NodeConnections.open({
    ...{ procRoot: ground.machine.procRoot, objectFile: ground.objectFile },
    networkOf: () => ({ cookie: ground.client.cookie, pid: ground.pods.client.pid }),
  });
const isGiven = () => optionsOf(ground.connect()).keepalive;

test('what another build orders goes on where nobody can tell what is asked, and nowhere else', async () => {
  const objectFile = `${ground.objectFile}.other`;
  copyFileSync(ground.objectFile, objectFile);
  // What follows the last section is nobody's.
  writeFileSync(objectFile, 'another build', { flag: 'a' });
  const pinFolder = join(ground.machine.procRoot, '1/root/sys/fs/bpf/keepalive');
  const before = await ground.open({ objectFile, pinFolder });
  // A build to come may know networks by something else.
  const odd = ['mkdir odd', 'ln *-*/marks odd/networks', 'ln *-*/groups odd/groups'];
  const inPins = ['cd /sys/fs/bpf/keepalive', ...odd].join('\n');
  await run('sh', '-ec', inPins);
  const connections = await begin();
  const follow = (held: readonly Place[]) =>
    connections.follow({
      ...{ targets: [], hostPods: new Set(), running: new Set(), pods: new Map() },
      held: new Set(held),
    });
  try {
    for (const { cookie } of [ground.client, ground.server]) before.order(cookie, workedOut(behind(90)));
    await follow([place]);
    expect(before.ordered()).toEqual([ground.client.cookie]);
    ground.serve();
    expect(isGiven()).toBe(true);
    await follow([]);
    await until('it acts no more', () => !isGiven());
  } finally {
    before.close();
    await connections.remove();
  }
});

test('what keeps connections in the kernel is loaded anew where somebody took away its pins', async () => {
  const connections = await begin();
  const follow = () =>
    connections.follow({
      targets: [{ place, wanted: behind(90), timeouts: [90] }],
      ...{ hostPods: new Set(), running: new Set(), pods: new Map(), held: new Set() },
    });
  try {
    ground.serve();
    expect(await follow()).toMatchObject({ served: [{ place }], isAnew: false });
    expect(isGiven()).toBe(true);
    await run('rm', '-r', '/sys/fs/bpf/keepalive');
    // The kernel detaches it a moment after its last pin has gone.
    await until('it acts no more', () => !isGiven());
    expect(await follow()).toMatchObject({ served: [{ place }], isAnew: true });
    expect(isGiven()).toBe(true);
  } finally {
    await connections.remove();
  }
});

test('nothing acts by what was asked before a second BPF file system hid it, once it is asked no more', async () => {
  const connections = await begin();
  const follow = (wanted: typeof asked | undefined) =>
    connections.follow({
      targets: wanted === undefined ? [] : [{ place, wanted, timeouts: [90] }],
      ...{ hostPods: new Set(), running: new Set(), pods: new Map(), held: new Set() },
    });
  const asked = behind(90);
  let hidden = 0;
  const hide = async () => {
    await run('mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf');
    hidden += 1;
  };
  try {
    ground.serve();
    await follow(asked);
    await hide();
    expect(isGiven()).toBe(true);
    expect(await follow(asked)).toMatchObject({ served: [{ place }], isAnew: true });
    expect(isGiven()).toBe(true);
    await follow(undefined);
    expect(isGiven()).toBe(false);
    await follow(asked);
    await hide();
    await connections.remove();
    expect(isGiven()).toBe(false);
  } finally {
    await connections.remove();
    for (; hidden > 0; hidden -= 1) await run('umount', '/sys/fs/bpf');
    await run('rm', '-rf', '/sys/fs/bpf/keepalive');
  }
});

test('whoever asks is told that it is gone and cannot be loaded anew, and when it is loaded after all', async () => {
  const { procRoot, ledgerFile, pods } = ground.machine;
  const link = new KernelLink({ procRoot, ledgerFile, objectFile: ground.objectFile });
  const { client } = ground.pods;
  const follow = () =>
    link.followConnections(
      {
        targets: [{ place: client.place, wanted: behind(90), timeouts: [90] }],
        ...{ hostPods: new Set(), running: new Set(), pods, held: new Set() },
      },
      [],
    );
  try {
    await link.visit([{ place: client.place, wanted: asking(90), anew: false, asked: true }], pods);
    await link.reached;
    const { means } = link.reach ?? {};
    expect(means?.by).toBe('BPF');
    expect(await follow()).toMatchObject({ served: [{ place: client.place }] });
    await run('umount', '/sys/fs/bpf');
    expect(await follow()).toMatchObject({ served: [] });
    expect(link.reach).toMatchObject({ mayBeLoaded: true, pins: undefined });
    expect(link.reach?.means.why).toMatch(/^no BPF file system at \/sys\/fs\/bpf/);
    await run('mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf');
    await until('it is loaded', () => link.reach?.mayBeLoaded === false);
    expect(link.reach?.means).toEqual(means);
    expect(await follow()).toMatchObject({ served: [{ place: client.place }] });
  } finally {
    await link.removeConnections();
    await link.close();
  }
});

test('a BPF file system may come after the agent', async () => {
  await run('umount', '/sys/fs/bpf');
  const connections = await begin();
  try {
    expect(connections.means.why).toMatch(/^no BPF file system at \/sys\/fs\/bpf/);
    expect([await connections.tryAgain(), connections.mayBeLoaded]).toEqual([false, true]);
    await run('mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf');
    expect([await connections.tryAgain(), connections.mayBeLoaded]).toEqual([true, false]);
    expect(connections.means.by).toBe('BPF');
  } finally {
    await connections.remove();
  }
});
