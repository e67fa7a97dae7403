import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { parse, stringify } from 'yaml';

import type { PolicyStatus } from '../../src/api/status.ts';
import { Cluster } from '../cluster/cluster.ts';
import { provide } from '../cluster/prepare.ts';
import { flux as programs } from '../cluster/program.ts';
import { condition } from '../e2e/shared.ts';
import { seenDuring } from '../support/seen-during.ts';
import { said } from './flux/flux.ts';
import { imagesIn, later, laterImages, laterTools, tagLater, toLater, valuesOfPods } from './flux/later.ts';
import type { FluxWorld } from './flux/world.ts';
import {
  fluxWorld,
  isReadyAt,
  page,
  release,
  shown,
  source,
  withoutHelm,
  workload,
  workloadFile,
} from './flux/world.ts';
import { written } from './flux/written.ts';

let cluster: Cluster;
let world: FluxWorld;
const policy = { kind: 'kap', name: 'behind-the-nat', namespace: 'db' } as const;
const isCovered = (status: PolicyStatus) => condition(status, 'Covered')?.status === 'True';

beforeAll(async () => {
  await provide({ programs: programs() }, undefined);
  cluster = await Cluster.up({ name: 'e2e-flux-upgrade', nodes: 1, owned: true });
  world = await fluxWorld(cluster);
  const revision = await world.begin('HelmRelease');
  for (const name of ['keepalive-operator', 'db-covered'])
    await world.flux.until('kustomization', name, isReadyAt(revision));
}, 3_600_000);
afterAll(() => cluster.down());

async function run(block: string): Promise<void> {
  const { stderr, code } = await cluster.exec(['sh', '-ec', block]);
  if (code !== 0) throw new Error(`${block} ended with ${code}: ${stderr}`);
}

/** What would be others if they had been uninstalled and installed anew. */
async function uids(): Promise<string[]> {
  const what = 'deployments,daemonsets,customresourcedefinitions,keepalivepolicies,clusterkeepalivepolicies';
  const { items } = await world.bench.json<{ items: readonly { metadata: { uid: string } }[] }>(what, '-A');
  return items.map(({ metadata }) => metadata.uid).sort();
}

test('what a HelmRelease installed goes on without Helm, as the page says, and every value stays', async () => {
  const { flux, bench } = world;
  const [, suspension = ''] = page.blocks('yaml', 'Without Helm');
  const [beforeSwap = '', afterSwap = ''] = page.blocks('sh', 'Without Helm');
  const text = shown('HelmRelease')[release] ?? '';
  const { spec, ...rest } = parse(text) as { spec: object };
  const suspended = { ...rest, spec: { ...spec, ...(parse(suspension) as { spec: object }).spec } };
  const before = await uids();
  const seen = await seenDuring(
    () => valuesOfPods(bench),
    async () => {
      await world.push({ [release]: stringify(suspended) });
      await run(beforeSwap);
      const swapped = await world.push({
        [release]: undefined,
        [withoutHelm]: shown('Kustomization')[withoutHelm],
      });
      await flux.until('kustomization', 'keepalive-operator', isReadyAt(swapped));
      const isGone = async () => (await flux.object('helmrelease', 'keepalive')) === undefined;
      await bench.until('the HelmRelease is gone', isGone);
      await run(afterSwap);
      expect(said(await flux.ask('kustomization', 'keepalive'))?.status).toBe('True');
    },
  );
  expect(seen).toEqual(['30/10/6']);
  expect(await uids()).toEqual(before);
  await bench.status(policy, isCovered);
}, 600_000);

test('200 reconciles find nothing to change, and nobody but Flux has written what Git holds', async () => {
  const { flux, bench } = world;
  const reconcile = async (name: string) => {
    expect(said(await flux.ask('kustomization', name))?.status).toBe('True');
  };
  const before = await written(bench);
  expect(Object.keys(before).length).toBeGreaterThan(20);
  for (let time = 0; time < 200; time += 1) {
    await reconcile(time % 10 === 0 ? 'keepalive' : 'db');
  }
  expect(await written(bench)).toEqual(before);
  const managers = Object.entries(before).map(([object, { writers }]) => [
    object,
    new Set(writers.map(({ manager }) => manager)),
  ]);
  expect(
    managers.filter(([, who]) => [...(who as Set<string>)].some((one) => /keepalive/.test(one))),
  ).toEqual([]);
}, 580_000);

test('the switch that an administrator throws by hand is no drift', async () => {
  const { flux, bench } = world;
  await bench.settings({ acting: 'Audit' });
  await bench.status(policy, (status) => condition(status, 'Ready')?.reason === 'SwitchedOff');
  expect(said(await flux.ask('kustomization', 'keepalive'))?.status).toBe('True');
  const { data } = await bench.json<{ data: Record<string, string> }>(
    ...['configmap', 'keepalive-settings', '-n', 'keepalive-system'],
  );
  expect(data.acting).toBe('Audit');
  await bench.settings({ acting: null });
  await bench.status(policy, isCovered);
}, 180_000);

test('the operator is upgraded and an image changes in one commit, while every value stays', async () => {
  const { flux, bench } = world;
  const files = shown('Kustomization');
  await tagLater(cluster);
  await world.product.rewrite('deploy/kustomization.yaml', toLater);
  await world.product.tag(`v${later}`);
  const seen = await seenDuring(
    () => valuesOfPods(bench),
    async () => {
      const revision = await world.push({
        [source]: toLater(files[source] ?? ''),
        [withoutHelm]: toLater(files[withoutHelm] ?? ''),
        [workloadFile]: workload({ image: laterTools }),
      });
      await flux.until('kustomization', 'keepalive-operator', isReadyAt(revision));
      await flux.until('kustomization', 'db-covered', isReadyAt(revision));
    },
  );
  expect(seen).toEqual(['30/10/6']);
  await bench.status(policy, isCovered);
  expect(await imagesIn(cluster)).toEqual(laterImages);
}, 400_000);
