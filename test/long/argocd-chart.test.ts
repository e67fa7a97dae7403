import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { condition, untouched } from '../e2e/shared.ts';
import { argoBuildMs, healthOf, standing } from './argocd/argocd.ts';
import { commandsOf, inGit } from './argocd/desk.ts';
import { workloads } from './argocd/workloads.ts';
import { ArgoWorld, fine } from './argocd/world.ts';

/** An Application of the chart in place of one of the manifests, as docs/argocd.md says. */
const team = { kind: 'kap', name: 'behind-the-nat', namespace: 'db' } as const;
const both = ['team', 'keepalive-operator'];
let world: ArgoWorld;
let uid: string;

beforeAll(async () => {
  world = await ArgoWorld.start('e2e-argochart', commandsOf.chart);
}, argoBuildMs);
afterAll(() => world.cluster.down());

test('operator, policies and workloads are there by the manifests', async () => {
  const { argo, bench, desk, fleet } = world;
  const files = { ...inGit, 'team/workloads.yaml': workloads() };
  await fleet.commit(files);
  await desk.readOn('kubectl patch configmap argocd-cm');
  await desk.readOn('kubectl apply -f operator.yaml');
  await desk.readOn('kubectl apply -f team.yaml');
  await world.untilFine('keepalive-operator');
  await world.untilFine('team');
  expect(healthOf(await argo.application('team'), 'KeepalivePolicy')).toBe('Healthy');
  uid = (await bench.policy(team)).metadata.uid;
}, 300_000);

test('deleting the Application takes all but kinds and policies, and values go back', async () => {
  const { bench, cluster } = world;
  await world.desk.readOn('kubectl delete application keepalive-operator');
  await bench.untilValuesOf('n1', untouched);
  const left = await cluster.kubectl(
    ...['get', 'namespaces,clusterroles,deployments,daemonsets', '-A', '-o', 'name'],
    ...['-l', 'app.kubernetes.io/name=keepalive-operator'],
  );
  expect(left.trim()).toBe('');
  const degraded = await world.argo.until('team', (one) => standing(one) === 'Synced Degraded');
  expect(healthOf(degraded, 'KeepalivePolicy')).toBe('Degraded');
  const { status } = await bench.policy(team);
  expect(condition(status, 'Ready')).toMatchObject({ status: 'Unknown', reason: 'OperatorRemoved' });
}, 300_000);

test('the chart becomes an Application, and the same policies are in force', async () => {
  const { bench, desk } = world;
  await desk.readOn('kubectl apply -f chart.yaml');
  await world.untilFine('keepalive-operator');
  await world.untilFine('team');
  expect((await bench.policy(team)).metadata.uid).toBe(uid);
  await bench.until('the node holds the values', async () => (await bench.valuesOf('n1')) !== untouched);
  expect(await world.seenThrough(10, both)).toEqual([fine]);
  expect(desk.isAtEnd).toBe(true);
}, 300_000);

test('it stays Synced with the webhook too, whose authority the controller writes', async () => {
  const { bench, cluster } = world;
  const spec = {
    source: { helm: { valuesObject: { admission: 'both' } } },
    syncPolicy: { syncOptions: ['CreateNamespace=true', 'ServerSideApply=true'] },
  };
  const patch = JSON.stringify({ spec });
  await cluster.kubectl(
    ...['patch', 'application', 'keepalive-operator', '-n', 'argocd', '--type=merge', '-p', patch],
  );
  const authority = 'jsonpath={.webhooks[*].clientConfig.caBundle}';
  const webhook = ['get', 'mutatingwebhookconfiguration', 'pods.keepalive.dev', '-o', authority];
  await bench.until('the webhook has an authority', async () => {
    const { stdout } = await cluster.exec(['kubectl', ...webhook]);
    return stdout !== '';
  });
  await world.untilFine('keepalive-operator');
  // Until the controllers that were just replaced answer as a webhook, policies say so.
  await world.untilFine('team');
  expect(await world.seenThrough(10, both)).toEqual([fine]);
}, 300_000);
