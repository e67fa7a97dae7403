import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { craneProgram } from '../../scripts/release/push.ts';
import type { PolicyStatus } from '../../src/api/status.ts';
import { Cluster } from '../cluster/cluster.ts';
import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { fluxCommand, flux as programs } from '../cluster/program.ts';
import { condition } from '../e2e/shared.ts';
import { helmProgram } from '../support/helm.ts';
import { startRegistry } from '../support/lab-registry.ts';
import { said } from './flux/flux.ts';
import type { FluxWorld } from './flux/world.ts';
import { asHere, fluxWorld, isReadyAt, page, shown } from './flux/world.ts';

let cluster: Cluster;
let world: FluxWorld;
const policy = { kind: 'kap', name: 'behind-the-nat', namespace: 'db' } as const;
const controller = ['deployment', 'keepalive-controller', '-n', 'keepalive-system'] as const;
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

test('the operator comes by a HelmRelease, policies after it, and an application is Ready when it is covered', async () => {
  const { flux, bench } = world;
  const revision = await world.begin('HelmRelease');
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

describe("Helm's objects", () => {
  test('are brought back when somebody deletes or edits them', async () => {
    const { flux, bench } = world;
    await cluster.kubectl('delete', 'mutatingadmissionpolicy', 'keepalivepolicy.keepalive.dev');
    await cluster.kubectl('scale', ...controller, '--replicas=0');
    await flux.ask('helmrelease', 'keepalive');
    await bench.until('it is there again', () =>
      bench.exists('mutatingadmissionpolicy', 'keepalivepolicy.keepalive.dev'),
    );
    const { spec } = await bench.json<{ spec: { replicas: number } }>(...controller);
    expect(spec.replicas).toBe(2);
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
    const events = await cluster.kubectl('get', 'events', '-n', 'flux-system', '-o', 'jsonpath={..reason}');
    expect(events.split(' ').filter((reason) => reason === 'DriftDetected')).toHaveLength(1);
    await bench.settings({ acting: null });
    await bench.status(policy, isCovered);
  }, 240_000);
});

test('chart and application come from a registry instead, while every value stays', async () => {
  const { flux, bench } = world;
  await startRegistry(cluster);
  const [, block = ''] = page.blocks('sh');
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
  const revision = await world.push({
    ...files,
    [applied]: fromArtifact.join('---\n'),
    'keepalive/operator/source.yaml': undefined,
    'keepalive/operator/release.yaml': undefined,
  });
  await flux.until('kustomization', 'keepalive-operator', isReadyAt(revision));
  await flux.until(
    'kustomization',
    'db',
    (object) =>
      said(object)?.status === 'True' && object.status?.lastAppliedRevision?.startsWith('latest@') === true,
  );
  const { status } = (await flux.object('helmrelease', 'keepalive')) ?? {};
  expect(status?.history?.[0]?.ociDigest).toMatch(/^sha256:/);
  await bench.status(policy, isCovered);
}, 400_000);
