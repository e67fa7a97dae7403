import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { witnessPod } from '../../src/policy/witness.ts';
import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import { ckap, condition, isReady, kap, sleeper, untouched } from '../e2e/shared.ts';
import { sysctls } from '../support/builder.ts';
import { buildHelms } from '../support/helm.ts';
import { Asked, asksMs, configuration, replicas, secret, youngest } from './asked.ts';
import { Releases } from './release.ts';

/** The webhook on the Kubernetes that it is for, from its installation to the last trace of it. */
let asked: Asked;
const namespace = 'e2e-webhook';
const home = 'keepalive-system';

beforeAll(async () => {
  await buildHelms();
  asked = await Asked.up(namespace, youngest);
}, asksMs);
afterAll(() => asked.down());

test('the API server serves nothing of what else changes new pods', async () => {
  const group = '--api-group=admissionregistration.k8s.io';
  const served = await asked.cluster.kubectl('api-resources', group, '-o', 'name');
  expect(served).toContain('mutatingwebhookconfigurations');
  expect(served).not.toContain('mutatingadmissionpolicies');
});

describe('a new pod', () => {
  test('starts with the values, and the policy says so by what was seen', async () => {
    const { bench, cluster, team } = asked;
    const pod = sleeper('covered', namespace);
    const [main] = pod.spec.containers;
    const print = ['sh', '-c', 'cat /proc/sys/net/ipv4/tcp_keepalive_time; sleep 3600'];
    const spec = { ...pod.spec, containers: [{ ...main, command: print }] };
    await bench.start({ ...pod, spec } as typeof pod);
    expect((await cluster.kubectl('logs', 'covered', '-n', namespace)).trim()).toBe('30');
    const status = await bench.status(team, (s) => isReady(s) && s.pods?.live === 1);
    expect(condition(status, 'Ready')).toMatchObject({ reason: 'Enforced' });
    expect(condition(status, 'Ready')?.message).not.toContain('cannot be seen');
    expect(status.findings?.map(({ reason }) => reason) ?? []).not.toContain('MissedByAdmission');
  });

  test('that is made in the same moment as its namespace has those of a cluster policy', async () => {
    const { bench, cluster } = asked;
    await bench.apply(ckap('platform', 120, { namespaceSelector: { matchLabels: { stage: 'new' } } }));
    await bench.status({ kind: 'ckap', name: 'platform' });
    await bench.namespace('e2e-webhook-new', { stage: 'new' });
    expect(await bench.dryRun(sleeper('new', 'e2e-webhook-new'))).toEqual(sysctls(40, 14, 6));
    await cluster.kubectl('delete', 'ckap', 'platform');
  });

  test('is left alone while everything is switched off', async () => {
    const { bench, passing } = asked;
    await bench.settings({ acting: 'Audit' });
    await until('new pods are left alone', async () => !(await passing.isGiven()));
    await bench.settings({ acting: null });
    await asked.untilGiven();
  });
});

test('every replica answers, whichever of them leads', async () => {
  const before = await asked.answers();
  expect(before.size).toBe(2);
  await until('each of them has changed a pod', async () => {
    // At the same time, so that one connection is not enough for them.
    await Promise.all(Array.from({ length: 8 }, () => asked.passing.isGiven()));
    const now = await asked.answers();
    return [...before].every(([pod, { changed }]) => (now.get(pod)?.changed ?? 0) > changed);
  });
});

describe('nobody is asked about', () => {
  const all = async () => [...(await asked.answers()).values()].reduce((sum, one) => sum + one.all, 0);
  const { spec } = witnessPod([]);
  const restricted = (where: string) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'own', namespace: where }, spec },
  });

  test.each([
    ['a pod of its node', sleeper('host', namespace, { spec: { hostNetwork: true } })],
    [
      'a pod for Windows',
      sleeper('windows', namespace, { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } }),
    ],
    ['a pod that opts out', sleeper('skipping', namespace, { labels: { 'keepalive.dev/skip': 'true' } })],
    ['a pod of kube-system', sleeper('system', 'kube-system')],
    ['a pod beside the controller', restricted(home)],
    ['a pod beside the agents', sleeper('agent', 'keepalive-agent')],
  ])('%s', async (_, pod) => {
    const before = await all();
    await asked.bench.dryRun(pod);
    expect(await all()).toBe(before);
    await asked.bench.dryRun(sleeper('any', namespace));
    expect(await all()).toBe(before + 1);
  });
});

test('replicas that are replaced one after the other let no pod pass', async () => {
  const seen = await asked.passing.during(async () => {
    await asked.cluster.kubectl('rollout', 'restart', ...replicas);
    await asked.cluster.kubectl('rollout', 'status', ...replicas, '--timeout=120s');
  });
  expect(seen).toEqual({ given: seen.given, passed: 0 });
}, 240_000);

/** Of all kinds that the manifests have, but for kinds themselves. */
async function ours(...more: readonly string[]): Promise<string> {
  const kinds = [
    'mutatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings',
    'clusterroles,clusterrolebindings,roles,rolebindings,services,secrets,deployments',
    ...more,
  ].join(',');
  const label = 'app.kubernetes.io/name=keepalive-operator';
  return asked.cluster.kubectl('get', kinds, '-A', '-l', label, '-o', 'name');
}

test('an uninstallation leaves nothing', async () => {
  const { bench, cluster, folder } = asked;
  expect(await ours()).toContain('secret/keepalive-webhook');
  await cluster.kubectl('delete', 'kap,ckap', '-A', '--all');
  await cluster.kubectl('delete', '-k', folder, '--timeout=120s');
  expect(await ours('namespaces', 'customresourcedefinitions')).toBe('');
  expect(await bench.dryRun(sleeper('new', namespace))).toEqual([]);
});

test('the chart takes the webhook by itself, and an uninstallation of it leaves nothing but the kinds', async () => {
  const { bench, cluster, team } = asked;
  const releases = new Releases(cluster, 'Helm 4');
  await releases.install('keepalive', home);
  expect(await bench.exists(...configuration)).toBe(true);
  await bench.apply(kap(namespace, 'team', 90));
  const status = await bench.status(team);
  expect(condition(status, 'Ready')?.message).not.toContain('cannot be seen');
  expect(await asked.passing.isGiven()).toBe(true);
  await cluster.kubectl('delete', 'kap', '-A', '--all');
  await bench.start(sleeper('later', namespace));
  expect(await bench.valuesIn('later', namespace)).toBe(untouched);
  await releases.uninstall('keepalive', home);
  // It goes with the Deployment, by ownership, and the Lease with the account.
  await until('no Secret is left', async () => (await ours()) === '');
  const lease = ['lease', 'keepalive-controller', '-n', home];
  await until('no Lease is left', async () => !(await bench.exists(...lease)));
}, 360_000);

/** As somebody leaves it who wants to be rid of it and stops it first. */
async function stop(): Promise<void> {
  await asked.cluster.kubectl('scale', ...replicas, '--replicas=0');
  const pods = ['pods', '-n', home, '-l', 'app.kubernetes.io/component=controller', '-o', 'name'];
  await until('no controller is left', async () => (await asked.cluster.kubectl('get', ...pods)) === '');
}

test.each([
  { keep: true, left: 3 },
  { keep: false, left: 0 },
])(
  'a release whose controller is stopped goes with all that the webhook had, and $left kinds stay where crds.keep is $keep',
  async ({ keep, left }) => {
    const { bench, cluster, team } = asked;
    const releases = new Releases(cluster, 'Helm 4');
    await releases.install('keepalive', home, '--set', `crds.keep=${keep}`);
    await bench.apply(kap(namespace, 'team', 90));
    await bench.status(team);
    await asked.untilGiven();
    await stop();
    // Whoever makes pods throws where one is refused.
    const seen = await asked.passing.during(async () => {
      await bench.start(sleeper(`stopped-${keep}`, namespace));
      await releases.uninstall('keepalive', home);
      await until('nothing of it is left', async () => (await ours()) === '');
    });
    expect(seen).toEqual({ given: 0, passed: seen.passed });
    expect(await bench.exists(...configuration)).toBe(false);
    expect(await bench.exists(...secret)).toBe(false);
    const kinds = await cluster.kubectl('get', 'crds', '-o', 'name');
    expect(kinds.split('\n').filter((name) => name.includes('keepalive.dev'))).toHaveLength(left);
    await bench.untilValuesIn(`stopped-${keep}`, namespace, untouched);
  },
  360_000,
);

test('without the component the controller ends at once, and says what to do', async () => {
  // kubectl itself complains of the kinds that are not served.
  await asked.cluster.exec(['kubectl', 'apply', '-k', join(repository, 'deploy')]);
  const controllers = ['-n', home, '-l', 'app.kubernetes.io/component=controller'];
  await until(
    'the controller says why it does not go on',
    async () => {
      const { stdout } = await asked.cluster.exec(['kubectl', 'logs', ...controllers, '--tail=-1']);
      return stdout.includes('take the component deploy/components/webhook');
    },
    { timeoutMs: 120_000, everyMs: 200 },
  );
});
