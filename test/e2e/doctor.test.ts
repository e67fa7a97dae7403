import { globSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { Diagnosed } from '../../src/cli/diagnosis.ts';
import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { unpacked } from '../cluster/unpacked.ts';
import { bindingOfRestricted, definition, privileged, restricted, roleOf } from '../support/openshift.ts';
import type { PolicyName } from './shared.ts';
import { Bench, kap, sleeper } from './shared.ts';
import { tool, toolBeside } from './tool.ts';

const bench = new Bench();
const namespace = 'e2e-doctor';
const team: PolicyName = { kind: 'kap', name: 'behind-the-nat', namespace };
const { keepalive, doctor } = toolBeside(bench);

const faketime = unpacked('faketime', ['libfaketime']);
/** Runs what follows as on a machine whose clock is an hour ahead. Of programs in Go that is not possible: they ask the kernel themselves. */
const anHourAhead = () => {
  const [library = ''] = globSync('usr/lib/*/faketime/libfaketime.so.1', { cwd: faketime.folder });
  const preload = `LD_PRELOAD=${join(faketime.folder, library)}`;
  return ['env', preload, 'FAKETIME=+3600s', 'DONT_FAKE_MONOTONIC=1'];
};

beforeAll(() => provide({ unpacked: [faketime] }, undefined), 600_000);
beforeAll(async () => {
  await bench.namespace(namespace);
  await bench.apply(kap(namespace, 'behind-the-nat', 90));
  await bench.status(team);
  await bench.start(sleeper('covered', namespace));
});
afterAll(async () => {
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false', '--ignore-not-found');
});

const ours = { 'app.kubernetes.io/name': 'keepalive-operator' };
/** Agents of another installation, which cannot run. */
function agentsIn(home: string, pod: object) {
  const labels = { ...ours, 'app.kubernetes.io/component': 'agent' };
  const containers = [{ name: 'agent', image: 'registry.invalid/none:1', imagePullPolicy: 'Never' }];
  return {
    ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'other', namespace: home, labels } },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...pod, containers } },
    },
  };
}

describe('keepalive doctor', () => {
  test('finds nothing in a cluster that is as it should be', async () => {
    // What other suites broke may be on its way out.
    const { stdout } = await bench.until('nothing is wrong', async () => {
      const ended = await keepalive('doctor');
      return ended.code === 0 && ended;
    });
    expect(stdout).toMatch(/\nNothing keeps the product from working here\.\n$/);
    expect(stdout).not.toMatch(/^(wrong|unknown)/m);
  });

  test('finds a binding that is not there, and says how to get it back', async () => {
    const binding = 'keepalivepolicy.keepalive.dev';
    await bench.cluster.kubectl('delete', 'mutatingadmissionpolicybinding', binding);
    try {
      const { code, wrong } = await doctor();
      expect(code).toBe(1);
      expect(wrong).toMatchObject([
        { check: 'admission', fix: expect.stringContaining('kubectl apply -k deploy/') },
      ]);
      expect(wrong[0]?.text).toContain(`MutatingAdmissionPolicyBinding ${binding} is not installed`);
    } finally {
      await bench.cluster.kubectl('apply', '-f', join(repository, 'deploy/admission.yaml'));
    }
    await bench.status(team);
  });

  test('finds an agent that cannot run, and why', async () => {
    const broken = 'e2e-doctor-agents';
    await bench.namespace(broken, ours);
    await bench.apply(agentsIn(broken, {}));
    try {
      const told = await bench.until('the kubelets say why', async () => {
        const { wrong } = await doctor();
        return wrong.some(({ text }) => text.includes('ErrImageNeverPull')) && wrong;
      });
      expect(told[0]?.text).toBe(`0 of 3 agents (${broken}/other) are ready`);
    } finally {
      await bench.cluster.kubectl('delete', 'namespace', broken);
    }
  });

  test('finds a quota that refuses pods of the priority of agents, and where there is one that lets them', async () => {
    const full = 'e2e-doctor-quota';
    const critical = 'system-node-critical';
    await bench.namespace(full, ours);
    await bench.apply({
      ...{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none-critical', namespace: full } },
      spec: {
        hard: { pods: '0' },
        scopeSelector: {
          matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: [critical] }],
        },
      },
    });
    try {
      // It refuses nobody before it was counted.
      await bench.until('the quota counts', async () => {
        const { status } = await bench.json<{ status?: { hard?: object } }>(
          ...['quota', 'none-critical', '-n', full],
        );
        return status?.hard !== undefined;
      });
      await bench.apply(agentsIn(full, { priorityClassName: critical }));
      const told = await bench.until('something says why', async () => {
        const { wrong } = await doctor();
        return wrong.length > 1 && wrong;
      });
      expect(told).toMatchObject([
        { check: 'agents', text: `0 of 3 agents (${full}/other) are ready` },
        {
          check: 'agents',
          text: expect.stringMatching(/^pods of other cannot be made: .* exceeded quota: none-critical,/),
          fix: expect.stringContaining('bring back the ResourceQuota'),
        },
      ]);
    } finally {
      await bench.cluster.kubectl('delete', 'namespace', full);
    }
  });

  test('finds what OpenShift lacks to let the agents run, and that the component gives it', async () => {
    const kubectl = (...args: string[]) => bench.cluster.kubectl(...args);
    const told = async () => {
      const { stdout } = await keepalive('doctor', '-o', 'json');
      return (JSON.parse(stdout) as Diagnosed[]).filter(({ check }) => check === 'OpenShift');
    };
    const component = join(repository, 'deploy/components/openshift/agent-scc.yaml');
    const roles = [roleOf(privileged), roleOf(restricted)];
    await bench.apply(definition);
    try {
      await bench.untilServed(definition.metadata.name);
      await bench.apply(privileged, restricted, ...roles, bindingOfRestricted);
      const refused = await bench.until('the role of everybody holds', async () => {
        const said = await told();
        return said[0]?.text.includes('restricted-v2') === true && said;
      });
      expect(refused).toMatchObject([
        {
          is: 'wrong',
          text: expect.stringMatching(
            /keepalive-agent\/keepalive-agent may use no .*: restricted-v2 forbids hostPID .*SELinux type spc_t/,
          ),
          fix: expect.stringContaining(
            'oc adm policy add-scc-to-user privileged -z keepalive-agent -n keepalive-agent',
          ),
        },
      ]);
      await kubectl('apply', '-f', component);
      const bound = await bench.until('the binding holds', async () => {
        const said = await told();
        return said[0]?.is === 'fine' && said;
      });
      expect(bound).toMatchObject([{ text: expect.stringMatching(/Constraints privileged$/) }]);
      const edit = JSON.stringify({ allowHostPID: false });
      await kubectl('patch', definition.metadata.name, 'privileged', '--type=merge', '-p', edit);
      expect(await told()).toMatchObject([
        {
          is: 'wrong',
          text: expect.stringMatching(/: privileged forbids hostPID \(allowHostPID\)$/),
          fix: 'have privileged allow it: oc edit scc privileged',
        },
      ]);
      // As `oc adm policy add-scc-to-user` does on older versions; another than the one that was edited.
      const users = ['system:serviceaccount:keepalive-agent:keepalive-agent'];
      await bench.apply({ ...privileged, metadata: { name: 'agents' }, users });
      expect(await told()).toMatchObject([
        { is: 'fine', text: expect.stringMatching(/Constraints agents$/) },
      ]);
    } finally {
      await kubectl('delete', '--ignore-not-found', '-f', component);
      await kubectl('delete', 'crd', definition.metadata.name);
      const names = roles.map(({ metadata }) => metadata.name);
      await kubectl('delete', 'clusterrolebinding', bindingOfRestricted.metadata.name, '--ignore-not-found');
      await kubectl('delete', 'clusterrole', ...names, '--ignore-not-found');
    }
    await bench.until('it is no OpenShift any more', async () => (await told()).length === 0);
  }, 300_000);

  test.each([
    ['ahead', 3600],
    ['behind', -3600],
  ])('finds a node whose clock is %s, by what it writes into its Lease', async (where, seconds) => {
    const [node = ''] = bench.cluster.nodes;
    /** As its kubelet would by such a clock; it writes by the right one every ten seconds. */
    const renew = () => {
      const renewTime = new Date(Date.now() + seconds * 1000).toISOString().replace('Z', '000Z');
      const lease = ['lease', node, '-n', 'kube-node-lease'];
      return bench.cluster.kubectl(
        ...['patch', ...lease, '--type=merge', '-p', JSON.stringify({ spec: { renewTime } })],
      );
    };
    const ofClocks = async () => (await doctor()).wrong.filter(({ check }) => check === 'clocks');
    const told = await bench.until('it looks before the kubelet writes again', async () => {
      await renew();
      const found = await ofClocks();
      return found.length > 0 && found;
    });
    expect(told).toMatchObject([
      {
        text: expect.stringMatching(new RegExp(`^clocks differ .*: node ${node} \\(3\\d{3} s ${where}\\)$`)),
        fix: expect.stringContaining('have these nodes keep time'),
      },
    ]);
    await bench.until('it is fine as soon as the kubelet wrote', async () => (await ofClocks()).length === 0);
  });

  test('finds a controller whose clock is truly wrong, by the Lease that it takes', async () => {
    const home = await bench.namespace('e2e-doctor-clock', ours);
    const [node = '', ...flags] = tool.slice(0, -1);
    const taker = join(repository, 'test/e2e/lease-taker.ts');
    try {
      const { code } = await bench.cluster.exec([...anHourAhead(), node, ...flags, taker, home]);
      expect(code).toBe(0);
      const { wrong } = await doctor();
      expect(wrong.filter(({ check }) => check === 'clocks')).toMatchObject([
        { text: expect.stringMatching(/: the node of the controller \(3\d{3} s ahead\)$/) },
      ]);
    } finally {
      await bench.cluster.kubectl('delete', 'namespace', home);
    }
  });

  test('tells whoever asks that the clock of his machine is wrong', async () => {
    const words = /^note {5}clocks: the clock of this machine is 3\d{3} s ahead of that of the API server$/m;
    expect((await bench.cluster.exec([...anHourAhead(), ...tool, 'doctor'])).stdout).toMatch(words);
    expect((await keepalive('doctor')).stdout).not.toContain('the clock of this machine');
  });

  test('of somebody without rights finds nothing fine, tells what he may not see, and ends with 2', async () => {
    await bench.cluster.kubectl('create', 'serviceaccount', 'nobody', '-n', namespace);
    const token = (await bench.cluster.kubectl('create', 'token', 'nobody', '-n', namespace)).trim();
    const admin = await bench.cluster.kubectl('config', 'view', '--raw', '--flatten', '-o', 'json');
    const { clusters } = JSON.parse(admin) as { clusters: { name: string }[] };
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', clusters, users: [{ name: 'nobody', user: { token } }] },
      contexts: [{ name: 'nobody', context: { cluster: clusters[0]?.name, user: 'nobody', namespace } }],
      'current-context': 'nobody',
    };
    const file = join(bench.cluster.lab.folder, 'nobody.kubeconfig');
    await bench.cluster.exec(['sh', '-c', `cat > ${file}`], { stdin: JSON.stringify(config) });
    const { stdout, code } = await keepalive('doctor', '--kubeconfig', file);
    expect(code).toBe(2);
    expect(stdout).toContain(
      'unknown  controller: whether the controller runs: you may not list deployments',
    );
    expect(stdout).toMatch(/\d+ checks could not be made\.\n$/);
    const asked = await keepalive('status', '--kubeconfig', file);
    expect([asked.code, asked.stderr]).toEqual([
      2,
      expect.stringContaining('you may not list keepalivepolicies'),
    ]);
    const explained = await keepalive('explain', 'covered', '--kubeconfig', file);
    expect([explained.code, explained.stderr]).toEqual([2, expect.stringContaining('you may not')]);
  });
});
