import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { loadProduct } from '../cluster/install.ts';
import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import { Bench, ckap, condition, isReady, kap, sleeper, untouched } from '../e2e/shared.ts';
import { buildHelms, buildMs, chart, helm, helmNames } from '../support/helm.ts';
import { Overlays } from '../support/overlay.ts';
import { seenDuring } from '../support/seen-during.ts';
import { Page } from '../unit/docs/page.ts';
import { Releases } from './release.ts';

/** A cluster of its own, into which the product comes by Helm. */
let cluster: Cluster;
let bench: Bench;
const home = 'keepalive-system';
const team = { kind: 'kap', name: 'team', namespace: 'default' } as const;
const platform = { kind: 'ckap', name: 'platform' } as const;
const policies = [kap('default', 'team', 90), ckap('platform', 90, { nodes: { selector: {} } })];

beforeAll(async () => {
  await buildHelms();
  cluster = await Cluster.up({ name: 'e2e-chart', nodes: 1, owned: true });
  bench = new Bench(cluster);
  await loadProduct(cluster);
  await bench.start(sleeper('app', 'default', { spec: { nodeName: 'n1' } }));
}, buildMs);
const overlays = new Overlays();
afterAll(async () => {
  overlays.remove();
  await cluster.down();
});

const everywhere = async () => [await bench.valuesIn('app', 'default'), await bench.valuesOf('n1')];
const untilEverywhere = (values: string) =>
  until(`pod and node hold ${values}`, async () => (await everywhere()).every((one) => one === values));

/** Names of all that is ours in the cluster, beside the namespaces of releases. */
async function ours(): Promise<string[]> {
  const kinds = [
    'customresourcedefinitions,mutatingadmissionpolicies,mutatingadmissionpolicybindings',
    'validatingadmissionpolicies,validatingadmissionpolicybindings',
    'clusterroles,clusterrolebindings,namespaces',
  ].join(',');
  const inHome =
    'all,configmaps,serviceaccounts,roles,rolebindings,secrets,poddisruptionbudgets,resourcequotas';
  const found = [
    await cluster.kubectl('get', kinds, '-o', 'name'),
    await cluster.kubectl('get', inHome, '-n', home, '-o', 'name'),
    await cluster.kubectl('get', 'leases', '-A', '-o', 'name'),
  ];
  return found
    .flatMap((text) => text.split('\n'))
    .filter((name) => name.includes('keepalive') && name !== `namespace/${home}`)
    .sort();
}

/** What the agent remembers, and what is pinned in the kernel; empty where there is neither. */
async function onNode(): Promise<string> {
  const host = await cluster.lab.host('n1');
  const show = 'cat /run/keepalive.dev/ledger; ls -d /sys/fs/bpf/keepalive';
  return (await host.exec(['sh', '-c', show], { cwd: '/' })).stdout;
}

const untilNodeIsClean = async () => {
  await untilEverywhere(untouched);
  await until('no ledger and no program is left', async () => (await onNode()) === '');
};

const kept = ['clusterkeepalivepolicies', 'keepalivepolicies', 'nodekeepalives'].map(
  (plural) => `customresourcedefinition.apiextensions.k8s.io/${plural}.keepalive.dev`,
);
const bindings = 'mutatingadmissionpolicybinding.admissionregistration.k8s.io';

const variablesOfAgents = () =>
  cluster.kubectl(
    'get',
    'daemonset',
    '-n',
    'keepalive-agent',
    'keepalive-agent',
    '-o',
    'jsonpath={..env[*].name}',
  );

describe.each(helmNames)('a release by %s', (name) => {
  let releases: Releases;
  beforeAll(() => {
    releases = new Releases(cluster, name);
  });

  test('is installed by one command, and acts', async () => {
    const notes = await releases.install('keepalive', home);
    expect(notes).toContain('It acts on nothing until there is a policy');
    await bench.apply(...policies);
    await untilEverywhere('30/10/6');
    for (const policy of [team, platform]) {
      const { conditions } = await bench.status(policy, isReady);
      // The namespace was made by Helm, which knows no labels of ours: the API server is asked all the same.
      expect(JSON.stringify(conditions)).not.toContain('cannot be seen');
    }
  });

  test('asks for nothing that the API server does not know, whatever its values are', async () => {
    const args = ['--values', join(chart, 'values-openshift.yaml'), '--set', 'networkPolicy.enabled=true'];
    const text = await helm(name, [
      'template',
      'keepalive',
      chart,
      '-n',
      home,
      '--kube-version',
      '1.37.0',
      ...args,
    ]);
    const apply = [
      'kubectl',
      'apply',
      '--dry-run=server',
      '--server-side',
      '--force-conflicts',
      '--validate=strict',
    ];
    const { stdout, stderr, code } = await cluster.exec([...apply, '-f', '-'], { stdin: text });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('networkpolicy.networking.k8s.io/keepalive-agent');
    expect(stdout).toContain('rolebinding.rbac.authorization.k8s.io/keepalive-agent-scc');
  });

  test('is upgraded and rolled back while every value stays', async () => {
    const seen = await seenDuring(everywhere, async () => {
      await releases.upgrade(
        'keepalive',
        home,
        '--set-json',
        'agent.extraEnv=[{"name":"RESYNC_SECONDS","value":"10"}]',
      );
      expect(await variablesOfAgents()).toContain('RESYNC_SECONDS');
      await releases.rollback('keepalive', home, 1);
      expect(await variablesOfAgents()).not.toContain('RESYNC_SECONDS');
    });
    expect(seen).toEqual(['30/10/6']);
  });

  test('gives the namespace of the agents away, as the page says, while every value stays', async () => {
    const what = ['namespace/keepalive-agent', 'daemonset/keepalive-agent', '-n', 'keepalive-agent'];
    const told = '{range .items[*]}{.metadata.uid} {.metadata.deletionTimestamp}{"\\n"}{end}';
    const uids = () => cluster.kubectl('get', ...what, '-o', `jsonpath=${told}`);
    const before = await uids();
    const blocks = new Page('docs/upgrade.md').blocks('sh', 'With Helm');
    const keep = blocks.find((block) => block.includes('helm.sh/resource-policy=keep')) ?? 'false';
    expect((await cluster.exec(['sh', '-ec', keep])).code).toBe(0);
    const seen = await seenDuring(everywhere, () =>
      releases.upgrade('keepalive', home, '--set', 'agent.createNamespace=false'),
    );
    expect(seen).toEqual(['30/10/6']);
    expect(await uids()).toBe(before);
    // The next upgrade takes it into the release again, and its uninstallation takes it away.
    await cluster.kubectl('annotate', 'namespace', 'keepalive-agent', 'helm.sh/resource-policy-');
  });

  test('changes the settings of the cluster, which the API server heeds', async () => {
    await releases.upgrade('keepalive', home, '--set', 'settings.smallestIdleTimeoutSeconds=60');
    await until('a timeout of 50 s is refused', async () => {
      const args = ['kubectl', 'apply', '--dry-run=server', '-f', '-'];
      const { stderr, code } = await cluster.exec(args, {
        stdin: JSON.stringify(kap('default', 'short', 50)),
      });
      return code !== 0 && stderr.includes(`(ConfigMap ${home}/keepalive-settings`);
    });
  });

  test('switched off, sets nothing while it is uninstalled, puts everything back, and leaves kinds and policies', async () => {
    await releases.upgrade('keepalive', home, '--set', 'settings.acting=Audit');
    await bench.status(team, (s) => condition(s, 'Ready')?.reason === 'SwitchedOff');
    await bench.start(sleeper('late', 'default', { spec: { nodeName: 'n1' } }));
    const ofLate = async () => [await bench.valuesIn('late', 'default')];
    expect(await seenDuring(ofLate, () => releases.uninstall('keepalive', home))).toEqual([untouched]);
    await untilNodeIsClean();
    await cluster.kubectl('delete', 'pod', 'late', '-n', 'default', '--wait=false');
    expect(await bench.exists('ckap', 'platform')).toBe(true);
    const lease = ['lease', 'keepalive-controller', '-n', home];
    await until('the Lease went with its account', async () => !(await bench.exists(...lease)));
    expect(await ours()).toEqual(
      [...kept, `${bindings}/platform.clusterkeepalivepolicy.keepalive.dev`].sort(),
    );
  });

  test('takes over what was left, by its name, and acts by the policies that are there', async () => {
    await releases.install('keepalive', home);
    await untilEverywhere('30/10/6');
    for (const policy of [team, platform]) await bench.status(policy, isReady);
  });

  test('without agents puts everything back on nodes', async () => {
    await releases.upgrade('keepalive', home, '--set', 'agent.enabled=false');
    await untilNodeIsClean();
    await until('their namespace is gone', async () => !(await bench.exists('namespace', 'keepalive-agent')));
    const reports = () => cluster.kubectl('get', 'nodekeepalives', '-o', 'name');
    await until('no report is left', async () => (await reports()) === '', { timeoutMs: 150_000 });
  });

  test('has agents again, and takes kinds, policies and bindings along where it is told to', async () => {
    await releases.upgrade('keepalive', home, '--set', 'crds.keep=false');
    await untilEverywhere('30/10/6');
    await expect(releases.upgrade('keepalive', home, '--set', 'crds.enabled=false')).rejects.toThrow(
      'would delete CustomResourceDefinition',
    );
    await releases.uninstall('keepalive', home);
    await untilNodeIsClean();
    await until('nothing of ours is left', async () => (await ours()).length === 0);
  });
});

describe('a release under another name and in another namespace', () => {
  let releases: Releases;
  beforeAll(async () => {
    releases = new Releases(cluster, 'Helm 4');
    await releases.install('keepalive', home);
    await releases.uninstall('keepalive', home);
  });

  test('is refused the kinds that another release has left', async () => {
    await expect(releases.install('other', 'platform-net')).rejects.toThrow('invalid ownership metadata');
  });

  test('takes them by --take-ownership, and controller and agents find each other', async () => {
    await releases.install('other', 'platform-net', '--take-ownership', '--set', 'agent.namespace=nodes-net');
    await bench.apply(...policies);
    await untilEverywhere('30/10/6');
    await bench.status(platform, (status) => status.hosts?.live === 1);
    for (const policy of [team, platform])
      expect(condition(await bench.status(policy, isReady), 'Ready')?.message).not.toContain(
        'cannot be seen',
      );
  });

  test('goes although nothing of it runs any more, and the next one puts back what the node remembers', async () => {
    const template = (container: string) => ({
      spec: { containers: [{ name: container, image: 'localhost/none-such:1' }] },
    });
    const patch = (workload: string, namespace: string, spec: object) =>
      cluster.kubectl('patch', workload, '-n', namespace, '-p', JSON.stringify({ spec }));
    await patch('daemonset/keepalive-agent', 'nodes-net', { template: template('agent') });
    await patch('deployment/keepalive-controller', 'platform-net', {
      // Else two would go on until the new ones are ready.
      strategy: { type: 'Recreate', rollingUpdate: null },
      template: template('controller'),
    });
    const pods = ['pods', '-A', '-l', 'app.kubernetes.io/name=keepalive-operator'];
    await until('none of its pods runs', async () => {
      const phases = await cluster.kubectl('get', ...pods, '-o', 'jsonpath={.items[*].status.phase}');
      return phases !== '' && !phases.includes('Running');
    });
    await releases.uninstall('other', 'platform-net');
    expect(await everywhere()).toEqual(['30/10/6', '30/10/6']);
    await cluster.kubectl('delete', 'ckap,kap', '-A', '--all', '--timeout=20s');
    await releases.install('other', 'platform-net', '--set', 'crds.keep=false');
    await untilEverywhere(untouched);
    await releases.uninstall('other', 'platform-net');
    await untilNodeIsClean();
    await until('nothing of ours is left', async () => (await ours()).length === 0);
  });
});

const ofOverlay = {
  ...{ op: 'add', path: '/spec/template/spec/containers/0/env/-' },
  value: { name: 'OF_AN_OVERLAY', value: 'yes' },
};

test.each(helmNames)(
  '%s takes over what kubectl apply -k made, while every value stays and nothing of an overlay does',
  async (name) => {
    const releases = new Releases(cluster, name);
    const folder = overlays.write(name, {
      patches: [{ target: { kind: 'DaemonSet' }, patch: JSON.stringify([ofOverlay]) }],
    });
    await cluster.kubectl('apply', '-k', folder);
    await bench.apply(...policies);
    await untilEverywhere('30/10/6');
    // Helm would leave what the overlay has added, and nobody would know why it is there: kubectl takes it back.
    // Helm 4 applies on the server's side, where kubectl owns each field that it has set.
    const take = ['--take-ownership', ...(name === 'Helm 4' ? ['--force-conflicts'] : [])];
    const seen = await seenDuring(everywhere, async () => {
      await cluster.kubectl('apply', '-k', join(repository, 'deploy'));
      await releases.install('keepalive', home, ...take);
    });
    expect(seen).toEqual(['30/10/6']);
    const agents = ['get', 'daemonset', 'keepalive-agent', '-n', 'keepalive-agent'];
    const names = await cluster.kubectl(
      ...[...agents, '-o', 'jsonpath={.spec.template.spec.containers[0].env[*].name}'],
    );
    expect(names).toContain('NODE_NAME');
    expect(names).not.toContain(ofOverlay.value.name);
    // Helm waits for all agents but one: where the next has not begun, the one before has left the values to it.
    const rollout = ['rollout', 'status', 'daemonset/keepalive-agent', '-n', 'keepalive-agent'];
    await cluster.kubectl(...rollout, '--timeout=120s');
    await releases.uninstall('keepalive', home);
    await untilNodeIsClean();
  },
);
