import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { condition, sleeper, untouched } from '../e2e/shared.ts';
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

const configuration = ['mutatingwebhookconfiguration', 'pods.keepalive.dev'] as const;
const authorities = async () =>
  (
    await world.cluster.kubectl(
      'get',
      ...configuration,
      '-o',
      'jsonpath={.webhooks[*].clientConfig.caBundle}',
    )
  )
    .split(' ')
    .filter((one) => one !== '');

/** Changes the Application, and waits until what the controller writes of the webhook is there. */
async function byWebhook(admission: string, ...options: readonly string[]): Promise<string[]> {
  const spec = {
    source: { helm: { valuesObject: { admission } } },
    syncPolicy: { syncOptions: ['CreateNamespace=true', ...options] },
  };
  const patch = ['--type=merge', '-p', JSON.stringify({ spec })];
  await world.cluster.kubectl('patch', 'application', 'keepalive-operator', '-n', 'argocd', ...patch);
  const written = await world.bench.until('each webhook has an authority', async () => {
    if (!(await world.bench.exists(...configuration))) return false;
    const found = await authorities();
    return found.length === 2 && found;
  });
  await world.untilFine('keepalive-operator');
  // Until the controllers that were just replaced answer as a webhook, policies say so.
  await world.untilFine('team');
  return written;
}

describe.each([
  { how: 'as the page has it, applied by the client', admission: 'webhook', options: [] },
  { how: 'beside policies, applied by the server', admission: 'both', options: ['ServerSideApply=true'] },
])('with the webhook, whose authority the controller writes, $how', ({ admission, options }) => {
  let written: string[];
  beforeAll(async () => {
    written = await byWebhook(admission, ...options);
  }, 300_000);

  test('it stays Synced', async () => {
    expect(await world.seenThrough(10, both)).toEqual([fine]);
  }, 300_000);

  test('what somebody changes there is put back, and the authority stays', async () => {
    const { bench, cluster } = world;
    const patch = JSON.stringify([{ op: 'replace', path: '/webhooks/0/timeoutSeconds', value: 7 }]);
    await cluster.kubectl('patch', ...configuration, '--type=json', '-p', patch);
    await bench.until('it is put back', async () => {
      const found = await cluster.kubectl(
        ...['get', ...configuration, '-o', 'jsonpath={.webhooks[*].timeoutSeconds}'],
      );
      return found === '1 1';
    });
    expect(await authorities()).toEqual(written);
    await world.untilFine('keepalive-operator');
    await world.untilFine('team');
    expect(await bench.dryRun(sleeper('new', 'db', { labels: { app: 'mongo' } }))).not.toEqual([]);
  }, 300_000);

  test('applied once more with all that it has, it keeps the authority', async () => {
    await world.desk.run('argocd app sync keepalive-operator');
    await world.untilFine('keepalive-operator');
    expect(await authorities()).toEqual(written);
  }, 300_000);
});
