import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';

import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { Bench, ckap, kap, sleeper, untouched } from './shared.ts';

/** A cluster of its own, which the product comes into and leaves again. */
let cluster: Cluster;
const repository = join(import.meta.dirname, '../..');

beforeAll(async () => {
  cluster = await Cluster.up({ name: 'e2e-install', nodes: 2, owned: true });
});
afterAll(() => cluster.down());

/**
 * The garbage collector looks for new kinds every 30 s, and what is owned by an object of a kind that went before
 * it learned of it stays for ever. Something of a third party shows that it knows ours.
 */
async function untilCollectorKnows(): Promise<void> {
  let round = 0;
  await until('the garbage collector knows the kind', async () => isCollected(`probe-${(round += 1)}`));
}

/** Whether a ConfigMap goes soon after the policy that owns it. */
async function isCollected(name: string): Promise<boolean> {
  await cluster.apply(JSON.stringify(ckap(name, 90, { mode: 'Audit' })));
  const uid = await cluster.kubectl('get', 'ckap', name, '-o', 'jsonpath={.metadata.uid}');
  const owner = { apiVersion: 'keepalive.dev/v1alpha1', kind: 'ClusterKeepalivePolicy', name, uid };
  const metadata = { name, namespace: 'default', ownerReferences: [owner] };
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata }));
  await cluster.kubectl('delete', 'ckap', name);
  const { code } = await cluster.exec(['kubectl', 'wait', 'configmap', name, '--for=delete', '--timeout=3s']);
  return code === 0;
}

/** Everything of ours that a cluster could hold, by name. */
async function ours(): Promise<string[]> {
  const kinds = [
    'customresourcedefinitions,mutatingadmissionpolicies,mutatingadmissionpolicybindings',
    'validatingadmissionpolicies,validatingadmissionpolicybindings',
    'clusterroles,clusterrolebindings,namespaces',
  ].join(',');
  const all = await cluster.kubectl('get', kinds, '-o', 'name');
  return all.split('\n').filter((name) => name.includes('keepalive'));
}

test('without the CustomResourceDefinitions the controller refuses to start and names the command that helps', async () => {
  const { stderr, code } = await cluster.exec(
    [process.execPath, join(repository, 'dist/main.mjs'), 'controller'],
    {
      env: { METRICS_ADDRESS: '127.0.0.1:0', POD_NAMESPACE: 'default' },
    },
  );
  expect([code, stderr.trim()]).toEqual([
    1,
    'the CustomResourceDefinition of KeepalivePolicy is not installed: helm upgrade, or without Helm kubectl apply -k crds/ (docs/runbook.md#install-it-again)',
  ]);
});

test('kubectl apply -k installs two replicas that run restricted, without root and on a read-only filesystem', async () => {
  await cluster.install();
  const deployment = JSON.parse(
    await cluster.kubectl(
      'get',
      '-n',
      'keepalive-system',
      'deployment',
      'keepalive-controller',
      '-o',
      'json',
    ),
  ) as {
    status: { readyReplicas: number };
    spec: { template: { spec: { securityContext: object; containers: { securityContext: object }[] } } };
  };
  expect(deployment.status.readyReplicas).toBe(2);
  expect(deployment.spec.template.spec.securityContext).toMatchObject({
    runAsNonRoot: true,
    runAsUser: 65_532,
  });
  expect(deployment.spec.template.spec.containers[0]?.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  const home = await cluster.kubectl('get', 'namespace', 'keepalive-system', '--show-labels');
  expect(home).toContain('pod-security.kubernetes.io/enforce=restricted');
});

test('it serves metrics and says that it is well', async () => {
  const pods = (await cluster.kubectl('get', 'pods', '-n', 'keepalive-system', '-o', 'name'))
    .trim()
    .split('\n');
  const read = (pod: string, path: string) =>
    cluster.kubectl(
      'get',
      '--raw',
      `/api/v1/namespaces/keepalive-system/pods/${pod.replace('pod/', '')}:8080/proxy${path}`,
    );
  const leaders = await Promise.all(
    pods.map(async (pod) => /^keepalive_leader (\d)$/m.exec(await read(pod, '/metrics'))?.[1]),
  );
  expect(leaders.sort()).toEqual(['0', '1']);
  expect(await read(pods[0] ?? '', '/livez')).toBe('ok\n');
  expect(await read(pods[0] ?? '', '/readyz?verbose')).toContain('[+] synced: ok');
});

describe('an agent that is uninstalled', () => {
  let bench: Bench;
  const nodes = ['n1', 'n2'];
  const everywhere = async () =>
    Promise.all([
      ...nodes.map((node) => bench.valuesIn(node, 'default')),
      ...nodes.map((node) => bench.valuesOf(node)),
    ]);
  const untilEverywhere = (values: string) =>
    until(`all pods and nodes hold ${values}`, async () =>
      (await everywhere()).every((one) => one === values),
    );
  /** On each node the ledger, and what is pinned in the kernel; empty where there is neither. */
  const leftovers = async () =>
    Promise.all(
      nodes.map(async (node) => {
        const host = await cluster.lab.host(node);
        const show = 'cat /run/keepalive.dev/ledger; ls -d /sys/fs/bpf/keepalive';
        return (await host.exec(['sh', '-c', show], { cwd: '/' })).stdout;
      }),
    );

  beforeAll(async () => {
    bench = new Bench(cluster);
    await bench.start(...nodes.map((node) => sleeper(node, 'default', { spec: { nodeName: node } })));
    await bench.apply(kap('default', 'team', 90), ckap('platform', 90, { nodes: { selector: {} } }));
    await untilEverywhere('30/10/6');
    expect((await leftovers()).every((text) => text.includes('"found":7200'))).toBe(true);
  });

  test('alone, puts everything back although the policies stay, and takes its report along', async () => {
    await bench.cluster.kubectl('delete', 'daemonset', '-n', 'keepalive-agent', 'keepalive-agent');
    await untilEverywhere(untouched);
    await until('no ledger and no program is left', async () => (await leftovers()).join('') === '');
    await until(
      'no report is left',
      async () => (await bench.cluster.kubectl('get', 'nka', '-o', 'name')) === '',
    );
    const status = await bench.status({ kind: 'ckap', name: 'platform' }, (s) => s.nodes === undefined);
    expect(status.findings?.map(({ reason }) => reason)).toContain('NodesNotCovered');
    await cluster.install();
    await untilEverywhere('30/10/6');
  });

  test('with everything else, by kubectl delete -k, leaves every value as it was found, and nothing of ours', async () => {
    await cluster.kubectl('wait', 'ckap/platform', 'kap/team', '--for=condition=Ready', '--timeout=60s');
    expect(await ours()).toContain(
      'mutatingadmissionpolicybinding.admissionregistration.k8s.io/platform.clusterkeepalivepolicy.keepalive.dev',
    );
    await untilCollectorKnows();
    expect((await leftovers()).every((text) => text.includes('keepalive\n'))).toBe(true);
    await cluster.kubectl('delete', '-k', join(repository, 'deploy'), '--timeout=90s');
    await until('nothing of ours is left', async () => (await ours()).length === 0);
    await untilEverywhere(untouched);
    await until('no ledger and no program is left', async () => (await leftovers()).join('') === '');
  });
});
