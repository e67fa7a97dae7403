import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { parseGuest } from '../cluster/guest-node/guest-spec.ts';
import { buildProduct } from '../cluster/install.ts';
import { describeEveryNode } from './every-node.ts';
import { Bench, SHARED_CLUSTER } from '../e2e/shared.ts';

/**
 * Nodes as production has them: kernels, runtimes, systemd and AppArmor that this machine has not, in a cluster with
 * one of the lab's own.
 */
const guests = ['bookworm,containerd', 'trixie,crio,crun,conmon=pod'].map(parseGuest);
const nodes = ['n1', 'g1', 'g2'];
const folder = mkdtempSync(join(tmpdir(), 'keepalive-guests-'));
let cluster: Cluster;
let bench: Bench;

jest.setTimeout(600_000);

beforeAll(async () => {
  const archive = join(folder, 'image.tar');
  await buildProduct(archive);
  // Importing it under emulation would take minutes: it is on their disks when they boot.
  cluster = await Cluster.up({ name: `${SHARED_CLUSTER}-guests`, owned: true, guests, archives: [archive] });
  bench = new Bench(cluster, { patience: 8 });
  await cluster.install({ isLoaded: true });
}, 1_800_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await cluster.down();
});

test('the guests are what they are meant to be', async () => {
  const facts =
    'jsonpath={range .items[*].status.nodeInfo}{.kernelVersion} {.containerRuntimeVersion}{"\\n"}{end}';
  const [containerd, crio] = (await cluster.kubectl('get', 'nodes', '-o', facts)).trim().split('\n');
  expect(containerd).toMatch(/^6\.1\..* containerd:/);
  expect(crio).toMatch(/^6\.12\..* cri-o:/);
  for (const { name } of cluster.guests) {
    const said = await cluster.onNode(
      name,
      'cat /proc/1/comm /sys/module/apparmor/parameters/enabled; stat -fc %T /sys/fs/cgroup',
    );
    expect(said.trim().split('\n')).toEqual(['systemd', 'Y', 'cgroup2fs']);
  }
});

test('connections of pods have their values from their kernels', async () => {
  for (const { name } of cluster.guests) {
    const { status } = await bench.nodeKeepalive(name);
    expect(status?.connections).toMatchObject({ by: 'BPF' });
  }
});

describeEveryNode(
  () => bench,
  nodes.map((name) => ({ name, hasUsers: true })),
  'e2e-guests',
);
