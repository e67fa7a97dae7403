import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { signal } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';
import { controllersOf, whileControllersStandStill } from '../e2e/controllers.ts';
import { condition, isStalled, sleeper } from '../e2e/shared.ts';
import { Asked, asksMs, configuration, replicas, youngest } from './asked.ts';

/** Nobody answers the API server, or it is not told to ask: pods are made all the same, and the agents look after them. */
let asked: Asked;
const namespace = 'e2e-unanswered';

beforeAll(async () => {
  asked = await Asked.up(namespace, youngest);
}, asksMs);
afterAll(() => asked.down());

const reasonOf = (status: PolicyStatus) => condition(status, 'Ready')?.reason;
const missed = ({ findings = [] }: PolicyStatus) =>
  findings.filter(({ reason }) => reason === 'MissedByAdmission').map(({ pod }) => pod);

/** What they were made with. */
async function given(...pods: readonly string[]): Promise<boolean[]> {
  const specs = pods.map((pod) =>
    asked.bench.json<{ spec: { securityContext?: { sysctls?: unknown } } }>('pod', pod, '-n', namespace),
  );
  return (await Promise.all(specs)).map(({ spec }) => spec.securityContext?.sysctls !== undefined);
}

describe('pods start without the values, and the agent of their node gives them theirs', () => {
  test('while all replicas hang', async () => {
    await whileControllersStandStill(asked.bench, () => asked.bench.start(sleeper('hanging', namespace)));
    expect(await given('hanging')).toEqual([false]);
    await asked.bench.untilValuesIn('hanging', namespace, '30/10/6');
    await asked.untilGiven();
  });

  test('while all replicas are killed, and the policy names them', async () => {
    const { bench, team } = asked;
    const pods = [1, 2, 3].map((at) => `killed-${at}`);
    for (const one of await controllersOf(bench)) signal(one, 'SIGKILL');
    await bench.start(...pods.map((pod) => sleeper(pod, namespace)));
    for (const pod of pods) await bench.untilValuesIn(pod, namespace, '30/10/6');
    await asked.untilGiven();
    // How many of them were made before the first replica was back is not for us to say.
    const all = await given(...pods);
    const without = pods.filter((_, at) => all[at] === false);
    expect(without.length).toBeGreaterThan(0);
    const status = await bench.status(team, (s) => without.every((pod) => missed(s).includes(pod)));
    expect(missed(status)).toContain('hanging');
  });

  test('while there is no replica at all', async () => {
    const { bench, cluster, team } = asked;
    await cluster.kubectl('scale', ...replicas, '--replicas=0');
    await until('no controller is left', async () => {
      const pods = ['pods', '-n', 'keepalive-system', '-l', 'app.kubernetes.io/component=controller'];
      return (await cluster.kubectl('get', ...pods, '-o', 'name')) === '';
    });
    await bench.start(sleeper('alone', namespace));
    expect(await given('alone')).toEqual([false]);
    await bench.untilValuesIn('alone', namespace, '30/10/6');
    await cluster.kubectl('scale', ...replicas, '--replicas=2');
    await asked.untilGiven();
    await bench.status(team, (s) => reasonOf(s) === 'Enforced');
  });
});

test('a policy says that the webhook cannot be reached, and what to look for', async () => {
  const { bench, cluster, folder, team } = asked;
  await cluster.kubectl('delete', 'service', '-n', 'keepalive-system', 'keepalive-webhook');
  // The API server goes on asking over the connections that it has: they end with those who hold the other end.
  await cluster.kubectl('rollout', 'restart', ...replicas);
  await cluster.kubectl('rollout', 'status', ...replicas, '--timeout=90s');
  const status = await bench.status(team, (s) => reasonOf(s) === 'AdmissionInactive');
  expect(condition(status, 'Ready')?.message).toContain('port 9443');
  await cluster.kubectl('apply', '-k', folder);
  await bench.status(team);
  expect(await asked.passing.isGiven()).toBe(true);
}, 300_000);

test('a configuration that is edited or missing is told, and taken up again when it is applied', async () => {
  const { bench, cluster, folder, team } = asked;
  const patch = JSON.stringify([{ op: 'remove', path: '/webhooks/0/matchConditions' }]);
  await cluster.kubectl('patch', ...configuration, '--type=json', '-p', patch);
  const edited = await bench.status(team, isStalled);
  expect(condition(edited, 'Ready')).toMatchObject({ reason: 'AdmissionDiffers' });
  expect(condition(edited, 'Ready')?.message).toContain('webhooks[0].matchConditions');
  await cluster.kubectl('delete', ...configuration);
  await bench.status(team, (s) => reasonOf(s) === 'AdmissionMissing');
  await cluster.kubectl('apply', '-k', folder);
  await bench.status(team);
  expect(await asked.passing.isGiven()).toBe(true);
});
