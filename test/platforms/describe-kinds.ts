import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { nodeFolder } from '../cluster/components.ts';
import { buildProduct } from '../cluster/install.ts';
import { staticPodsFolder } from '../cluster/node-files.ts';
import { ownStock, stocks } from '../cluster/stock.ts';
import { Bench, SHARED_CLUSTER } from '../e2e/shared.ts';
import type { CheckId } from './checks.ts';
import { describeEveryNode } from './every-node.ts';
import type { Kind } from './kinds.ts';
import type { Facts } from './seen.ts';
import { factsOf, labNode, writeSeen } from './seen.ts';

/** A node under emulation is slow, and slower on a machine that is busy. */
const patience = 8;
const guest = 'g1';
const own = 'n1';
/** What was seen is written down for docs/platforms.md. */
const isWritten = process.env.KEEPALIVE_SEEN !== undefined;

/**
 * Nodes as production has them: kernels, runtimes, systemd and AppArmor that this machine has not. Each in a cluster with
 * one of the lab's own, and one after the other: side by side they would wait for each other.
 */
export function describeKinds(kinds: readonly Kind[], { isWhole }: { isWhole: boolean }): void {
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-platforms-'));
  const archive = join(folder, 'image.tar');
  jest.setTimeout(600_000);
  beforeAll(() => buildProduct(archive));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  describe.each(kinds)('$name', (kind) => {
    describeKind(kind, { folder, archive, isWhole });
  });
}

interface KindOptions {
  /** Where archives are put. */
  readonly folder: string;
  /** The product, for this machine. */
  readonly archive: string;
  readonly isWhole: boolean;
}

function describeKind(
  { name, spec, kernel, runtime, hasUsers, connections }: Kind,
  { folder, archive, isWhole }: KindOptions,
): void {
  const stock = stocks[spec.architecture];
  // The first time, what a guest is made of is made; for another architecture that takes an hour on a busy machine.
  const startMs = stock === ownStock ? 1_200_000 : 5_400_000;
  let cluster: Cluster;
  let bench: Bench;
  const facts: Record<string, Facts> = {};
  const held = { [guest]: {}, [own]: {} } as Record<string, Partial<Record<CheckId, boolean>>>;

  beforeAll(async () => {
    const clusterName = `${SHARED_CLUSTER}-guest`;
    // Importing it under emulation would take minutes: it is on the disk when the guest boots.
    const archives = [archive];
    if (stock !== ownStock) {
      const foreign = join(folder, `${stock.architecture}.tar`);
      await buildProduct(foreign, undefined, stock);
      archives.push(foreign);
    }
    cluster = await Cluster.up({ name: clusterName, owned: true, guests: [spec], archives });
    bench = new Bench(cluster, { patience });
    // Whatever may run anywhere runs where processors are real.
    await cluster.kubectl('cordon', guest);
    await cluster.install({ isLoaded: true });
    await cluster.kubectl('uncordon', guest);
  }, startMs);
  afterAll(async () => {
    await cluster.down();
    // Of a shortened run less is known than is written down already.
    if (!isWritten || !isWhole) return;
    const kinds = { [guest]: name, [own]: labNode };
    for (const [node, kind] of Object.entries(kinds)) {
      const [known, checks] = [facts[node], held[node]];
      if (known !== undefined && checks !== undefined) writeSeen({ kind, facts: known, checks });
    }
  });

  test('the guest is what it is meant to be', async () => {
    const starters = { [guest]: spec.runtime === 'crio' ? spec.oci : 'runc', [own]: 'runc' };
    for (const [node, starter] of Object.entries(starters)) facts[node] = await factsOf(bench, node, starter);
    const said = facts[guest];
    expect(said?.kernel).toMatch(kernel);
    expect(said?.runtime).toMatch(runtime);
    expect(said).toMatchObject({
      ...{ architecture: spec.architecture, controlGroups: 'v2', appArmor: 'on', connections },
    });
    expect((await cluster.onNode(guest, 'cat /proc/1/comm')).trim()).toBe('systemd');
  });

  describeEveryNode(
    () => bench,
    [
      {
        name: own,
        hasUsers: true,
        hasBpf: true,
        hasSystemd: false,
        hasAppArmor: false,
        hasLib64: true,
        hasGvisor: false,
        staticPods: () => staticPodsFolder(nodeFolder(cluster.lab.folder, own)),
      },
      {
        ...{ name: guest, hasUsers, hasSystemd: true, hasAppArmor: true },
        hasLib64: spec.architecture === 'amd64',
        hasBpf: connections === 'BPF',
        hasGvisor: spec.runtime === 'containerd' && spec.gvisor,
        staticPods: () => '/etc/kubernetes/manifests',
      },
    ],
    {
      isWhole,
      onTried: (id, isHeld, nodes) => {
        for (const node of nodes) Object.assign(held[node] ?? {}, { [id]: isHeld });
      },
    },
  );
}
