import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { condition, untouched } from '../e2e/shared.ts';
import { argoBuildMs } from './argocd/argocd.ts';
import { commandsOf, inGit } from './argocd/desk.ts';
import { workloads } from './argocd/workloads.ts';
import { ArgoWorld, fine } from './argocd/world.ts';

/** Operator, kinds, policies and workloads by one Application, server-side from the start, as docs/argocd.md says. */
const policy = { kind: 'kap', name: 'behind-the-nat', namespace: 'db' } as const;
const policies = inGit['team/policies.yaml'] ?? '';
let world: ArgoWorld;

beforeAll(async () => {
  world = await ArgoWorld.start('e2e-argowave', commandsOf.inOne);
}, argoBuildMs);
afterAll(() => world.cluster.down());

interface Available {
  readonly status: { readonly conditions: readonly { type: string; lastTransitionTime: string }[] };
}

test('from nothing all of it becomes Synced and Healthy in one sync, and the policies come after the operator', async () => {
  const { bench, desk, fleet } = world;
  await desk.readOn('kubectl patch configmap argocd-cm');
  const files = { 'everything/policies.yaml': policies, 'everything/workloads.yaml': workloads() };
  const revision = await fleet.commit({ ...inGit, ...files });
  await desk.readOn('kubectl apply -f everything.yaml');
  const { status } = await world.untilFine('everything', revision);
  expect(status?.history).toHaveLength(1);
  const controller = ['deployment', 'keepalive-controller', '-n', 'keepalive-system'];
  const { conditions } = (await bench.json<Available>(...controller)).status;
  const served = conditions.find(({ type }) => type === 'Available')?.lastTransitionTime ?? 'never';
  const { creationTimestamp } = (await bench.policy(policy)).metadata;
  expect([served, creationTimestamp]).toEqual([served, creationTimestamp].sort());
  await bench.untilValuesIn('solo', 'db', '30/10/6');
}, 300_000);

test('it stays so through 10 refreshes, though the Pod in Git says nothing of a security context', async () => {
  expect(await world.seenThrough(10, ['everything'])).toEqual([fine]);
}, 300_000);

describe('a policy that is not in the last wave', () => {
  const later = workloads({ annotations: { 'argocd.argoproj.io/sync-wave': '1' } });
  const audited = policies.replace('spec:\n', 'spec:\n  mode: Audit\n');

  test('holds up the sync while it is in Audit', async () => {
    await world.fleet.commit({
      'everything/policies.yaml': audited,
      'everything/workloads.yaml': later.replace('replicas: 2', 'replicas: 1'),
    });
    await world.argo.refresh('everything');
    await world.bench.status(policy, (one) => condition(one, 'Ready')?.reason === 'Audited');
    const { status } = await world.argo.until('everything', ({ status }) =>
      Boolean(
        status?.operationState?.message?.includes(
          'waiting for healthy state of keepalive.dev/KeepalivePolicy/',
        ),
      ),
    );
    expect(status?.operationState).toMatchObject({ phase: 'Running' });
    const web = await world.bench.json<{ spec: object }>('deployment', 'web', '-n', 'db');
    expect(web.spec).toMatchObject({ replicas: 2 });
  });

  test('and a sync that was held up is ended by hand, after which the next one takes what Git says', async () => {
    const revision = await world.fleet.commit({ 'everything/policies.yaml': policies });
    await world.argo.refresh('everything');
    await world.desk.readOn('argocd app terminate-op everything');
    await world.untilFine('everything', revision);
    const web = await world.bench.json<{ spec: object }>('deployment', 'web', '-n', 'db');
    expect(web.spec).toMatchObject({ replicas: 1 });
    expect(world.desk.isAtEnd).toBe(true);
  }, 240_000);
});

test('deleting it takes operator, policies and workloads away, and values go back', async () => {
  const { bench, cluster } = world;
  await cluster.kubectl('delete', 'application', 'everything', '-n', 'argocd', '--timeout=120s');
  await bench.untilValuesOf('n1', untouched);
  expect((await cluster.kubectl('get', 'kap,ckap', '-A', '-o', 'name')).trim()).toBe('');
  expect((await cluster.kubectl('get', 'pods', '-n', 'db', '-o', 'name')).trim()).toBe('');
}, 240_000);
