import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { craneProgram } from '../../scripts/release/push.ts';
import type { PolicyStatus } from '../../src/api/status.ts';
import { Cluster } from '../cluster/cluster.ts';
import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { fluxCommand, flux as programs } from '../cluster/program.ts';
import { condition, kap } from '../e2e/shared.ts';
import { helmProgram } from '../support/helm.ts';
import { startRegistry } from '../support/lab-registry.ts';
import { seenDuring } from '../support/seen-during.ts';
import type { FluxObject } from './flux/flux.ts';
import { said } from './flux/flux.ts';
import { imagesIn, later, laterImages, laterTools, tagLater, toLater, valuesOfPods } from './flux/later.ts';
import { remedyFor } from './flux/remedy.ts';
import type { FluxWorld } from './flux/world.ts';
import {
  asHere,
  fluxWorld,
  fromFleet,
  isReadyAt,
  page,
  release,
  shown,
  source,
  workload,
  workloadFile,
} from './flux/world.ts';
import { written } from './flux/written.ts';

let cluster: Cluster;
let world: FluxWorld;
/** With which the operator came. */
let revision: string;
const policy = { kind: 'kap', name: 'behind-the-nat', namespace: 'db' } as const;
const controller = ['deployment', 'keepalive-controller', '-n', 'keepalive-system'] as const;
const isGood = (object: FluxObject) => said(object)?.status === 'True';
const isCovered = (status: PolicyStatus) => condition(status, 'Covered')?.status === 'True';
const command = fluxCommand();

// Three controllers and the command are compiled first where they are not cached: half an hour on two cores.
beforeAll(async () => {
  await provide({ programs: [...programs(), command] }, undefined);
  await helmProgram('Helm 4');
  await craneProgram();
  cluster = await Cluster.up({ name: 'e2e-flux-helm', nodes: 1, owned: true });
  world = await fluxWorld(cluster);
}, 3_600_000);
afterAll(() => cluster.down());

/** Runs a block of the page in the folder of the fleet, with the lab's registry in place of the page's. */
async function run(block: string | undefined): Promise<string> {
  const home = join(cluster.lab.folder, 'home');
  mkdirSync(home, { recursive: true });
  const programFolder = join(cluster.lab.folder, 'bin');
  mkdirSync(programFolder, { recursive: true });
  const helm = await helmProgram('Helm 4');
  const script = `set -e
    ln -sf ${helm} ${programFolder}/helm; ln -sf ${join(command.place, 'flux')} ${programFolder}/flux
    ln -sfn ${join(repository, 'deploy')} ${world.fleet.folder}/deploy; cd ${world.fleet.folder}
    ${block ?? ''}`;
  const env = { HOME: home, PATH: `${programFolder}:${cluster.environment().PATH}` };
  const { stdout, stderr, code } = await cluster.exec(['sh', '-c', script], { env });
  if (code !== 0) throw new Error(`${block} ended with ${code}: ${stderr}${stdout}`);
  return stdout + stderr;
}

test('a policy that is there before the operator is never Stalled while Helm installs that, and Flux waits for it', async () => {
  const { flux, bench, fleet } = world;
  const first = { kind: 'kap', name: 'first', namespace: 'early' } as const;
  await bench.namespace(first.namespace);
  fleet.copy(repository, ['crds'], 'early');
  const kustomization = { resources: ['crds', 'policy.yaml'] };
  await fleet.commit({
    'early/policy.yaml': JSON.stringify(kap(first.namespace, first.name, 90)),
    'early/kustomization.yaml': JSON.stringify(kustomization),
  });
  // Not pruned: the kinds that it brings become Helm's.
  await bench.apply(...fromFleet('early', { path: './early', prune: false, wait: true, timeout: '10m' }));
  await bench.until('the policy is there', () => bench.exists('kap', first.name, '-n', first.namespace));
  revision = await world.begin('HelmRelease');
  const seen = new Set<string | undefined>();
  const isReady = async () => {
    const waiting = await flux.object('kustomization', 'early');
    seen.add(waiting && said(waiting)?.reason);
    const { status } = await bench.policy(first);
    for (const { type, status: is } of status?.conditions ?? []) if (is === 'True') seen.add(type);
    return waiting !== undefined && isGood(waiting);
  };
  await bench.until('what came before the operator is Ready', isReady, { timeoutMs: 600_000, everyMs: 100 });
  expect([...seen]).toEqual(expect.arrayContaining(['Ready', 'ReconciliationSucceeded']));
  expect(seen).not.toContain('Stalled');
  expect(seen).not.toContain('HealthCheckFailed');
  await cluster.kubectl('delete', 'kustomization.kustomize.toolkit.fluxcd.io', 'early', '-n', 'flux-system');
  await cluster.kubectl('delete', 'kap', first.name, '-n', first.namespace);
}, 800_000);

test('the operator comes by a HelmRelease, policies after it, and an application is Ready when it is covered', async () => {
  const { flux, bench } = world;
  for (const name of ['keepalive-operator', 'keepalive-policies', 'db', 'db-covered'])
    await flux.until('kustomization', name, isReadyAt(revision));
  expect(said(await flux.ask('helmrelease', 'keepalive'))?.reason).toMatch(/^(Install|Upgrade)Succeeded$/);
  const { status } = await bench.policy(policy);
  expect(condition(status, 'Covered')?.status).toBe('True');
  expect(status?.pods).toMatchObject({ selected: 2, live: 2 });
}, 400_000);

test("Flux's own command shows what a person looks for", async () => {
  const [block = ''] = page.blocks('sh');
  expect(block.split('\n').slice(0, -1)).toHaveLength(4);
  const [all = '', tree = '', events = '', described = ''] = await Promise.all(
    block.trim().split('\n').map(run),
  );
  expect(all).toMatch(/^kustomization\/db\s.*True\s+Applied revision/m);
  expect(all).toMatch(/^helmrelease\/keepalive\s.*True\s+Helm install succeeded/m);
  expect(tree).toContain('KeepalivePolicy/db/behind-the-nat');
  expect(events).toContain('ReconciliationSucceeded');
  expect(described).toContain('office-nat');
});

/** By what tells one event from another. */
async function driftsSeen(): Promise<string[]> {
  const columns = 'jsonpath={range .items[*]}{.reason} {.metadata.uid}{"\\n"}{end}';
  const events = await cluster.kubectl('get', 'events', '-n', 'flux-system', '-o', columns);
  return events.split('\n').filter((line) => line.startsWith('DriftDetected '));
}

describe("Helm's objects", () => {
  test('are brought back when somebody deletes or edits them', async () => {
    const { flux, bench } = world;
    await cluster.kubectl('delete', 'mutatingadmissionpolicy', 'keepalivepolicy.keepalive.dev');
    await cluster.kubectl('scale', ...controller, '--replicas=0');
    await run(remedyFor('The operator is not there yet'));
    await bench.until('it is there again', () =>
      bench.exists('mutatingadmissionpolicy', 'keepalivepolicy.keepalive.dev'),
    );
    await bench.until('both replicas are asked for again', async () => {
      const { spec } = await bench.json<{ spec: { replicas: number } }>(...controller);
      return spec.replicas === 2;
    });
    await flux.until('helmrelease', 'keepalive', isGood);
    await bench.status(policy, isCovered);
  }, 240_000);

  test('differ in nothing for Flux, whatever the operator and admission write, and a switch thrown by hand stays', async () => {
    const { flux, bench } = world;
    await bench.settings({ acting: 'Audit' });
    await bench.status(policy, (status) => condition(status, 'Ready')?.reason === 'SwitchedOff');
    const before = await flux.object('helmrelease', 'keepalive');
    for (let time = 0; time < 20; time += 1)
      expect(said(await flux.ask('helmrelease', 'keepalive'))?.status).toBe('True');
    const after = await flux.object('helmrelease', 'keepalive');
    expect(after?.status?.history).toEqual(before?.status?.history);
    const { data } = await bench.json<{ data: Record<string, string> }>(
      ...['configmap', 'keepalive-settings', '-n', 'keepalive-system'],
    );
    expect(data.acting).toBe('Audit');
    expect(await driftsSeen()).toHaveLength(1);
    await bench.settings({ acting: null });
    await bench.status(policy, isCovered);
  }, 240_000);

  test('are written by nobody through 200 reconciles, but for what is deleted in between', async () => {
    const { flux, bench } = world;
    const name = 'keepalivepolicy.keepalive.dev';
    const reconcile = async () => {
      await flux.ask('helmrelease', 'keepalive');
      await flux.until('helmrelease', 'keepalive', isGood);
    };
    const [before, drifts] = [await written(bench), await driftsSeen()];
    expect(Object.keys(before).length).toBeGreaterThan(20);
    for (let time = 0; time < 100; time += 1) await reconcile();
    await cluster.kubectl('delete', 'mutatingadmissionpolicybinding', name);
    await flux.ask('helmrelease', 'keepalive');
    await bench.until('it is there again', () => bench.exists('mutatingadmissionpolicybinding', name));
    for (let time = 0; time < 100; time += 1) await reconcile();
    const { [`MutatingAdmissionPolicyBinding /${name}`]: gone, ...others } = before;
    const { [`MutatingAdmissionPolicyBinding /${name}`]: back, ...since } = await written(bench);
    expect(since).toEqual(others);
    expect(back?.writers).not.toEqual(gone?.writers);
    expect((await driftsSeen()).filter((one) => !drifts.includes(one))).toHaveLength(1);
    await bench.status(policy, isCovered);
  }, 1_800_000);
});

test('chart, operator and image of the application become later ones in one commit, while every value stays', async () => {
  const { flux, bench } = world;
  await tagLater(cluster);
  await world.product.rewrite('deploy/chart/Chart.yaml', toLater);
  await world.product.tag(`v${later}`);
  const isUpgraded = (object: FluxObject) =>
    isGood(object) && object.status?.history?.[0]?.chartVersion === later;
  const seen = await seenDuring(
    () => valuesOfPods(bench),
    async () => {
      const upgraded = await world.push({
        [source]: toLater(shown('HelmRelease')[source] ?? ''),
        [workloadFile]: workload({ image: laterTools }),
      });
      await flux.until('helmrelease', 'keepalive', isUpgraded, { timeoutMs: 360_000 });
      // Who gave up while agents were replaced looks again.
      for (const name of ['db', 'db-covered']) await flux.ask('kustomization', name);
      await flux.until('kustomization', 'db-covered', isReadyAt(upgraded));
    },
  );
  expect(seen).toEqual(['30/10/6']);
  expect(await imagesIn(cluster)).toEqual(laterImages);
  await bench.status(policy, isCovered);
}, 700_000);

test('chart and application come from a registry instead, while every value stays', async () => {
  const { flux, bench } = world;
  await startRegistry(cluster);
  const [block = ''] = page.blocks('sh', 'From a registry');
  await run(
    asHere(block)
      .replace(/^(helm push .*)$/m, '$1 --plain-http')
      .replace(/^(flux push .*)$/m, '$1 --insecure-registry'),
  );
  const files = shown('registry');
  const applied = 'clusters/prod/keepalive.yaml';
  const documents = files[applied]?.split(/^---\n/m) ?? [];
  const fromArtifact = documents.map((text) =>
    /^  name: db$/m.test(text)
      ? text
          .replace('kind: GitRepository', 'kind: OCIRepository')
          .replace('    name: flux-system', '    name: db')
          .replace('path: ./apps/db', 'path: ./')
      : text,
  );
  const seen = await seenDuring(
    () => valuesOfPods(bench),
    async () => {
      const pushed = await world.push({
        ...files,
        [applied]: fromArtifact.join('---\n'),
        [source]: undefined,
        [release]: undefined,
      });
      await flux.until('kustomization', 'keepalive-operator', isReadyAt(pushed));
      const isFromArtifact = (object: FluxObject) =>
        isGood(object) && object.status?.lastAppliedRevision?.startsWith('latest@') === true;
      await flux.until('kustomization', 'db', isFromArtifact);
      const isFromRegistry = (object: FluxObject) =>
        isGood(object) && object.status?.history?.[0]?.ociDigest !== undefined;
      await flux.until('helmrelease', 'keepalive', isFromRegistry);
    },
  );
  expect(seen).toEqual(['30/10/6']);
  const { status } = (await flux.object('helmrelease', 'keepalive')) ?? {};
  expect(status?.history?.[0]?.ociDigest).toMatch(/^sha256:/);
  await bench.status(policy, isCovered);
}, 400_000);
