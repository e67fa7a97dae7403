import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { Cluster } from '../cluster/cluster.ts';
import { provide } from '../cluster/prepare.ts';
import { flux as programs } from '../cluster/program.ts';
import { until } from '../cluster/wait.ts';
import { condition, isStalled, kap } from '../e2e/shared.ts';
import { said } from './flux/flux.ts';
import { remedyFor } from './flux/remedy.ts';
import type { FluxWorld } from './flux/world.ts';
import { fluxWorld, isAt, isReadyAt, shown, workload, workloadFile } from './flux/world.ts';

let cluster: Cluster;
let world: FluxWorld;
const policy = { kind: 'kap', name: 'behind-the-nat', namespace: 'db' } as const;
const second = { kind: 'kap', name: 'second', namespace: 'db' } as const;
const policyFile = 'apps/db/policy.yaml';
const files = shown('Kustomization');
const isCovered = (status: PolicyStatus) => condition(status, 'Covered')?.status === 'True';

// Three controllers are compiled first where they are not cached: half an hour on two cores.
beforeAll(async () => {
  await provide({ programs: programs() }, undefined);
  cluster = await Cluster.up({ name: 'e2e-flux', nodes: 1, owned: true });
  world = await fluxWorld(cluster);
}, 3_600_000);
afterAll(() => cluster.down());

/** Whatever a test before has left in Git. */
async function begin(): Promise<void> {
  const revision = await world.push({
    ...files,
    [workloadFile]: workload(),
    'apps/db/second.yaml': undefined,
    'apps/db/beside.yaml': undefined,
  });
  await world.flux.until('kustomization', 'db-after', isReadyAt(revision));
}

const changed = (path: string, from: string, to: string) => {
  const text = files[path] ?? '';
  if (!text.includes(from)) throw new Error(`${path} of the page has no ${from}`);
  return { [path]: text.replace(from, to) };
};

test('the operator comes by a Kustomization, policies after it, and what comes after an application waits until that is covered', async () => {
  const { flux, bench } = world;
  const revision = await world.begin('Kustomization');
  for (const name of ['keepalive-operator', 'keepalive-policies', 'db', 'db-covered', 'db-after'])
    await flux.until('kustomization', name, isReadyAt(revision));
  const { status } = await bench.policy(policy);
  expect(condition(status, 'Covered')?.status).toBe('True');
  expect(status?.pods).toMatchObject({ selected: 2, live: 2 });
}, 300_000);

test('what comes after an application does not come while a pod of it is not covered, and the policy says which', async () => {
  const { flux, bench } = world;
  const skipped = workload({ labels: { 'keepalive.dev/skip': 'true' } });
  const late = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late', namespace: 'db' } };
  const revision = await world.push({
    [workloadFile]: skipped,
    'apps/db-after/late.yaml': JSON.stringify(late),
  });
  const isTimedOut = isAt(revision, { status: 'False', reason: 'HealthCheckFailed' });
  const failed = await flux.until('kustomization', 'db-covered', isTimedOut);
  expect(said(failed)?.message).toContain("KeepalivePolicy/db/behind-the-nat status: 'InProgress'");
  const { status } = await bench.policy(policy);
  expect(condition(status, 'Covered')).toMatchObject({ status: 'False', reason: 'NotCovered' });
  expect(await bench.exists('configmap', 'late', '-n', 'db')).toBe(false);
  expect(status?.findings?.map(({ reason }) => reason)).toContain('SkipLabel');
  const mended = await world.push({ [workloadFile]: workload() });
  await flux.until('kustomization', 'db-after', isReadyAt(mended));
  expect(await bench.exists('configmap', 'late', '-n', 'db')).toBe(true);
}, 300_000);

describe('a policy that is wrong', () => {
  beforeEach(begin, 300_000);

  test('is refused where Flux applies it, in our words, and what was there stays', async () => {
    const { flux, bench } = world;
    const { metadata } = await bench.policy(policy);
    const beside = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'beside', namespace: 'db' } };
    const revision = await world.push({
      ...changed(policyFile, 'idleTimeoutSeconds: 90', 'idleTimeoutSeconds: 5'),
      'apps/db/beside.yaml': JSON.stringify(beside),
    });
    const failed = await flux.until('kustomization', 'db', isAt(revision, { status: 'False' }));
    expect(said(failed)?.message).toContain('KeepalivePolicy/db/behind-the-nat');
    expect(said(failed)?.message).toContain('(ConfigMap keepalive-system/keepalive-settings');
    expect((await bench.policy(policy)).metadata.generation).toBe(metadata.generation);
    expect(await bench.exists('configmap', 'beside', '-n', 'db')).toBe(false);
    const mended = await world.push({ [policyFile]: files[policyFile] });
    await flux.until('kustomization', 'db', isReadyAt(mended));
    expect(await bench.exists('configmap', 'beside', '-n', 'db')).toBe(true);
  }, 240_000);

  test('and Stalled fails early; the words are in the policy and in its event', async () => {
    const { flux, bench } = world;
    await bench.settings({ policiesPerNamespace: '1' });
    const revision = await world.push({ 'apps/db/second.yaml': JSON.stringify(kap('db', 'second', 120)) });
    const failed = await flux.until('kustomization', 'db', isAt(revision, { status: 'False' }));
    expect(said(failed)?.message).toContain(
      "failed early due to stalled resources: [KeepalivePolicy/db/second status: 'Failed'",
    );
    const { reason, message = '' } = condition(await bench.status(second, isStalled), 'Stalled') ?? {};
    expect(reason).toBe('TooManyPolicies');
    expect(said(failed)?.message).not.toContain(message);
    const describe = remedyFor('`Stalled`').replace(policy.name, second.name);
    // The event is written after the status.
    const [inPolicy] = await bench.until('the event is there', async () => {
      const parts = (await cluster.exec(['sh', '-ec', describe])).stdout.split('\nEvents:');
      return parts[1]?.includes(message) === true && parts;
    });
    expect(inPolicy).toContain(message);
    await bench.settings({ policiesPerNamespace: '50' });
    await begin();
    expect(await bench.exists('kap', 'second', '-n', 'db')).toBe(false);
  }, 300_000);
});

describe('what admission needs', () => {
  beforeEach(begin, 300_000);

  const admission = 'keepalivepolicy.keepalive.dev';
  const lose = () => cluster.kubectl('delete', 'mutatingadmissionpolicy', admission);
  const isMissing = (type: 'Reconciling' | 'Stalled') => (status: PolicyStatus) =>
    condition(status, type)?.reason === 'AdmissionMissing';

  test('may come after the policies: Flux waits for it, and its next look brings it back', async () => {
    const { flux, bench } = world;
    await lose();
    const revision = await world.push(
      changed(policyFile, 'idleTimeoutSeconds: 90', 'idleTimeoutSeconds: 120'),
    );
    await bench.status(policy, isMissing('Reconciling'));
    expect(said(await flux.ask('kustomization', 'keepalive'))?.status).toBe('True');
    expect(await bench.exists('mutatingadmissionpolicy', admission)).toBe(true);
    await flux.until('kustomization', 'db', isReadyAt(revision));
  }, 240_000);

  test('is Stalled where it stays away, which fails early too', async () => {
    const { flux, bench } = world;
    await lose();
    await bench.status(policy, isMissing('Stalled'), 150_000);
    const failed = await flux.ask('kustomization', 'db');
    expect(said(failed)).toMatchObject({ status: 'False', reason: 'HealthCheckFailed' });
    await flux.ask('kustomization', 'keepalive');
    await bench.status(policy, isCovered);
    for (const name of ['db', 'db-covered'])
      expect(said(await flux.ask('kustomization', name))?.status).toBe('True');
  }, 300_000);
});

describe('a policy in Git', () => {
  beforeEach(begin, 300_000);

  const pods = async () =>
    (await cluster.kubectl('get', 'pods', '-n', 'db', '-o', 'name')).trim().split('\n').sort();
  const valuesIn = async () => {
    const [first = ''] = await pods();
    return world.bench.valuesIn(first.replace('pod/', ''), 'db');
  };

  test('is changed, renamed and removed, and the same pods follow it', async () => {
    const { flux, bench } = world;
    const before = await pods();
    const changedTo = await world.push(
      changed(policyFile, 'idleTimeoutSeconds: 90', 'idleTimeoutSeconds: 30'),
    );
    await flux.until('kustomization', 'db-covered', isReadyAt(changedTo));
    expect(await valuesIn()).toBe('10/4/6');
    const renamed = await world.push(changed(policyFile, 'name: behind-the-nat', 'name: by-another-name'));
    await flux.until('kustomization', 'db', isReadyAt(renamed));
    expect(await bench.exists('kap', 'behind-the-nat', '-n', 'db')).toBe(false);
    await until('pods have the values of the new name', async () => (await valuesIn()) === '30/10/6');
    const removed = await world.push({ [policyFile]: undefined });
    await flux.until('kustomization', 'db', isReadyAt(removed));
    expect(await bench.exists('kap', 'by-another-name', '-n', 'db')).toBe(false);
    expect(await pods()).toEqual(before);
    // What a pod has in its spec it keeps; those that come have what the cluster policy asks.
    await cluster.kubectl('delete', 'pods', '-n', 'db', '--all');
    await until(
      'new pods have the values of the cluster policy',
      // One that does not run yet, or has gone, cannot be asked.
      async () => (await valuesIn().catch(() => undefined)) === '116/39/6',
    );
  }, 400_000);

  test('may be edited by hand while Flux is suspended, and is what Git says once it is resumed', async () => {
    const { flux, bench } = world;
    await flux.patch('kustomization', 'db', { spec: { suspend: true } });
    await cluster.kubectl(
      'patch',
      'kap',
      'behind-the-nat',
      '-n',
      'db',
      '--type=json',
      '-p',
      JSON.stringify([{ op: 'replace', path: '/spec/path/0/idleTimeoutSeconds', value: 60 }]),
    );
    await bench.status(policy, ({ effective }) => effective?.idleTimeoutSeconds === 60);
    await flux.patch('kustomization', 'db', { spec: { suspend: false } });
    await bench.status(policy, ({ effective }) => effective?.idleTimeoutSeconds === 90);
  }, 180_000);
});
