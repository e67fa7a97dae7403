import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { Overlays } from '../support/overlay.ts';
import type { PolicyName } from '../e2e/shared.ts';
import { Bench, ckap, condition, isReady, kap, sleeper, untouched } from '../e2e/shared.ts';

/** A cluster of its own, into which parts of the product come: no agents, and agents on some nodes. */
let cluster: Cluster;
let bench: Bench;
const overlays = new Overlays();
const team: PolicyName = { kind: 'kap', name: 'team', namespace: 'default' };
const platform: PolicyName = { kind: 'ckap', name: 'platform' };
const on = (node: string, name = `on-${node}`) => sleeper(name, 'default', { spec: { nodeName: node } });

beforeAll(async () => {
  cluster = await Cluster.up({ name: 'e2e-parts', nodes: 2, owned: true });
  bench = new Bench(cluster);
});
afterAll(async () => {
  overlays.remove();
  await cluster.down();
});

describe('the controller alone', () => {
  let folder: string;
  beforeAll(async () => {
    await bench.start(on('n1', 'ran-before'));
    folder = overlays.write('controller-only', { components: ['controller-only'] });
    await cluster.install({ folder });
    await bench.apply(kap('default', 'team', 90));
  });

  test('runs nothing on nodes, and nothing with rights over them', async () => {
    const daemonSets = ['daemonsets', '-A', '-l', 'app.kubernetes.io/name=keepalive-operator'];
    expect(await cluster.kubectl('get', ...daemonSets, '-o', 'name')).toBe('');
    expect(await bench.exists('namespace', 'keepalive-agent')).toBe(false);
  });

  test('gives new pods the values', async () => {
    await bench.status(team);
    await bench.start(on('n1', 'new'));
    expect(await bench.valuesIn('new', 'default')).toBe('30/10/6');
  });

  test('does not say of a pod that ran before that it is covered: it has to be made anew, which is enough', async () => {
    const before = await bench.status(team, ({ pods }) => pods?.selected === 2);
    expect(await bench.valuesIn('ran-before', 'default')).toBe(untouched);
    expect(condition(before, 'Covered')?.status).toBe('False');
    expect(before.findings).toMatchObject([{ pod: 'ran-before' }]);
    expect(before.findings?.[0]?.message).toMatch(/recreate/i);
    await cluster.kubectl('delete', 'pod', 'ran-before', '-n', 'default', '--grace-period=1');
    await bench.start(on('n1', 'ran-before'));
    expect(await bench.valuesIn('ran-before', 'default')).toBe('30/10/6');
    const after = await bench.status(team, ({ findings }) => findings === undefined);
    expect(condition(after, 'Covered')).toMatchObject({ status: 'Unknown', reason: 'NoAgent' });
  });

  test('goes, and leaves pods as their specs say', async () => {
    await cluster.kubectl('delete', '-k', folder, '--timeout=90s');
    expect(await bench.valuesIn('new', 'default')).toBe('30/10/6');
    await cluster.kubectl('delete', 'pod', '-n', 'default', 'new', 'ran-before', '--grace-period=1');
  });
});

describe('agents on chosen nodes', () => {
  let folder: string;
  const ofNodes = (status: Awaited<ReturnType<typeof bench.status>>) =>
    status.findings?.filter(({ reason }) => reason === 'NodesWithoutAgents').map(({ node }) => node);

  beforeAll(async () => {
    await bench.start(on('n1'), on('n2'));
    folder = overlays.write('chosen-nodes', { components: ['chosen-nodes'] });
    await cluster.install({ folder, isLoaded: true });
    await bench.apply(kap('default', 'team', 90), ckap('platform', 90, { nodes: { selector: {} } }));
  });

  test('are on none at first, and nothing is said to be live', async () => {
    const status = await bench.status(
      platform,
      ({ findings }) => findings?.[0]?.reason === 'NodesNotCovered',
    );
    expect(status.findings?.[0]?.message).toContain('see which nodes it chooses');
    expect(status).not.toHaveProperty('nodes');
    expect(condition(status, 'Covered')?.status).toBe('False');
    expect([await bench.valuesOf('n1'), await bench.valuesOf('n2')]).toEqual([untouched, untouched]);
  });

  test('act on the node that is given the label, and the policy names the other', async () => {
    await cluster.kubectl('label', 'node', 'n1', 'keepalive.dev/agent=true');
    await bench.untilValuesOf('n1', '30/10/6');
    await bench.untilValuesIn('on-n1', 'default', '30/10/6');
    expect(await bench.valuesOf('n2')).toBe(untouched);
    expect(await bench.valuesIn('on-n2', 'default')).toBe(untouched);
    const isPartly = (now: Parameters<typeof isReady>[0]) =>
      now.hosts?.live === 1 && condition(now, 'Covered')?.reason === 'NodeAway';
    expect(ofNodes(await bench.status(platform, isPartly))).toEqual(['n2']);
    const pods = await bench.status(team, (now) => now.pods?.live === 1);
    expect(pods.pods).toMatchObject({ selected: 2, live: 1 });
  });

  test('act on all when all have it', async () => {
    await cluster.kubectl('label', 'node', 'n2', 'keepalive.dev/agent=true');
    await bench.untilValuesOf('n2', '30/10/6');
    const isWhole = (status: Parameters<typeof isReady>[0]) =>
      isReady(status) && condition(status, 'Covered')?.status === 'True';
    await bench.status(platform, isWhole);
    await bench.status(team, isWhole);
  });

  test('give a node that loses the label its values back, and its pods', async () => {
    await cluster.kubectl('label', 'node', 'n2', 'keepalive.dev/agent-');
    await bench.untilValuesOf('n2', untouched);
    await bench.untilValuesIn('on-n2', 'default', untouched);
    expect(await bench.valuesOf('n1')).toBe('30/10/6');
    const status = await bench.status(platform, ({ hosts }) => hosts?.live === 1);
    expect(ofNodes(status)).toEqual(['n2']);
  });

  test('leave everything as it was found', async () => {
    await cluster.kubectl('delete', 'ckap,kap', '-A', '--all');
    await bench.untilValuesOf('n1', untouched);
    await bench.untilValuesIn('on-n1', 'default', untouched);
    await cluster.kubectl('delete', '-k', folder, '--timeout=90s');
    expect(await bench.valuesOf('n1')).toBe(untouched);
  });
});
