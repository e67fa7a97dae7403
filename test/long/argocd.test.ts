import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { condition, isReady } from '../e2e/shared.ts';
import type { HealthCase } from '../support/argocd-cases.ts';
import { scriptOf } from '../support/argocd-cases.ts';
import { runLua } from '../support/lua.ts';
import type { Application } from './argocd/argocd.ts';
import { argoBuildMs, healthOf, standing } from './argocd/argocd.ts';
import { commandsOf, inGit } from './argocd/desk.ts';
import { workloads } from './argocd/workloads.ts';
import { ArgoWorld, fine } from './argocd/world.ts';

/** A cluster of its own, into which everything comes by Argo CD, as docs/argocd.md says. */
const team = { kind: 'kap', name: 'behind-the-nat', namespace: 'db' } as const;
const both = ['team', 'keepalive-operator'];
let world: ArgoWorld;

beforeAll(async () => {
  world = await ArgoWorld.start('e2e-argocd', commandsOf.usual);
}, argoBuildMs);
afterAll(() => world.cluster.down());

/** What somebody changes by hand. */
const changeByHand = (spec: object) =>
  world.cluster.kubectl(
    ...['patch', 'kap', team.name, '-n', team.namespace, '--type=merge', '-p', JSON.stringify({ spec })],
  );

const policies = (from: string, to: string) => {
  const text = inGit['team/policies.yaml'] ?? '';
  expect(text).toContain(from);
  return { 'team/policies.yaml': text.replace(from, to) };
};

test('one command tells Argo CD of the health of our kinds', async () => {
  await world.desk.readOn('kubectl patch configmap argocd-cm');
  const keys = await world.bench.json<{ data: object }>('configmap', 'argocd-cm', '-n', 'argocd');
  expect(Object.keys(keys.data).filter((key) => key.includes('keepalive.dev'))).toHaveLength(5);
});

test('the manifests become an Application that is Synced and Healthy', async () => {
  await world.desk.readOn('kubectl apply -f operator.yaml');
  await world.untilFine('keepalive-operator');
});

test('so do policies and workloads, while admission changes the pods', async () => {
  const { bench } = world;
  const revision = await world.fleet.commit({ ...inGit, 'team/workloads.yaml': workloads() });
  await world.desk.readOn('kubectl apply -f team.yaml');
  const application = await world.untilFine('team', revision);
  for (const kind of ['KeepalivePolicy', 'ClusterKeepalivePolicy', 'Deployment', 'StatefulSet', 'Pod', 'Job'])
    expect([kind, healthOf(application, kind)]).toEqual([kind, 'Healthy']);
  await bench.until(
    'the Pod in Git holds the values',
    async () => (await bench.valuesIn('solo', 'db')) === '30/10/6',
  );
});

test('Argo CD says of a policy what its program says of it without a server', async () => {
  const said = await world.desk.readOn('resource-overrides health');
  expect(said).toContain('STATUS: Healthy\n');
  expect(said).toContain('keepalive 30/10/6');
});

test.each([
  ['KeepalivePolicy', 'kap behind-the-nat --namespace db'],
  ['ClusterKeepalivePolicy', 'ckap cloud'],
  ['NodeKeepalive', 'nodekeepalive n1'],
])(
  'of a %s as it is in the cluster now, that program says what our reader of scripts says',
  async (kind, which) => {
    const { desk } = world;
    const live = parse(await desk.run(`kubectl get ${which} --output yaml | tee live.yaml\n`)) as unknown;
    const { status, message } = runLua(scriptOf(kind, 'health.lua'), live) as HealthCase['health'];
    const said = await desk.run(
      'argocd admin settings resource-overrides health live.yaml --argocd-cm-path deploy/argocd/argocd-cm.yaml\n',
    );
    expect(said).toBe(`STATUS: ${status}\nMESSAGE: ${message}\n`);
  },
);

test('self-heal puts back what somebody changes by hand, and the Pod of Git is changed by admission', async () => {
  const { bench, cluster } = world;
  const before = (await bench.policy(team)).metadata.generation;
  await changeByHand({ path: [{ name: 'office-nat', type: 'NAT', idleTimeoutSeconds: 900 }] });
  // Theirs and Argo CD's.
  await bench.until('the spec is as in Git again', async () => {
    const { generation } = (await bench.policy(team)).metadata;
    return generation >= before + 2;
  });
  await bench.status(team, (status) => isReady(status) && status.effective?.idleTimeoutSeconds === 90);
  await cluster.kubectl('delete', 'ckap', 'cloud');
  await bench.until('the other policy is there again', () => bench.exists('ckap', 'cloud'));
  await cluster.kubectl('delete', 'pod', 'solo', '-n', 'db');
  // The one that follows is made while the policies are in force.
  const values = 'jsonpath={.spec.securityContext.sysctls[*].value}';
  await bench.until('the Pod in Git has the values in its spec', async () => {
    const { stdout } = await cluster.exec(['kubectl', 'get', 'pod', 'solo', '-n', 'db', '-o', values]);
    return stdout === '30 10 6';
  });
  await world.untilFine('team');
});

test('both stay Synced and Healthy through 50 refreshes, while pods come and go and statuses change', async () => {
  const before = (await world.bench.policy(team)).metadata.resourceVersion;
  expect(await world.seenThrough(50, both)).toEqual([fine]);
  expect((await world.bench.policy(team)).metadata.resourceVersion).not.toBe(before);
}, 1_200_000);

describe('on the server side', () => {
  test('both are compared, and nothing differs', async () => {
    await world.desk.readOn('ServerSideDiff=true');
    expect(await world.seenThrough(10, both)).toEqual([fine]);
  }, 300_000);

  test('both are applied, once the Pod in Git has a security context there', async () => {
    await world.desk.readOn('ServerSideApply=true');
    const isInTheWay = ({ status }: Application) =>
      status?.conditions?.some(({ message }) => message.includes('pod updates may not change fields')) ===
      true;
    await world.argo.until('team', isInTheWay);
    const mended = await world.fleet.commit({
      'team/workloads.yaml': workloads({ securityContext: {} }),
    });
    await world.argo.refresh('team');
    await world.untilFine('team', mended);
    expect(await world.seenThrough(50, both)).toEqual([fine]);
  }, 1_500_000);

  test('a policy that is changed in Git is in force when the Application is Healthy', async () => {
    const changed = policies('idleTimeoutSeconds: 90', 'idleTimeoutSeconds: 60');
    const revision = await world.fleet.commit(changed);
    await world.argo.refresh('team');
    await world.untilFine('team', revision);
    const { status } = await world.bench.policy(team);
    expect(status?.effective?.idleTimeoutSeconds).toBe(60);
    expect(condition(status, 'Ready')?.status).toBe('True');
  });

  test('what is applied there may be compared here', async () => {
    for (const name of both)
      await world.cluster.kubectl(
        ...['annotate', 'application', name, '-n', 'argocd', 'argocd.argoproj.io/compare-options-'],
      );
    expect(await world.seenThrough(10, both)).toEqual([fine]);
  }, 300_000);
});

test('the actions are offered, and say what they would change', async () => {
  const said = await world.desk.readOn('list-actions');
  expect(said).toMatch(/^audit +false$/m);
  expect(said).toMatch(/^> +mode: Audit$/m);
});

describe('what an action changes', () => {
  test('stays where Git does not name the mode, and Argo CD calls it Suspended', async () => {
    const { argo, desk } = world;
    await desk.readOn('actions run team audit');
    const suspended = await argo.until('team', (one) => standing(one) === 'Synced Suspended');
    expect(healthOf(suspended, 'KeepalivePolicy')).toBe('Suspended');
    expect(healthOf(suspended, 'ClusterKeepalivePolicy')).toBe('Healthy');
    expect(standing(await argo.refresh('team'))).toBe('Synced Suspended');
    await desk.readOn('actions run team enforce');
    await world.untilFine('team');
    expect((await world.bench.policy(team)).spec.mode).toBe('Enforce');
  });

  test('is put back where Git names the mode', async () => {
    const { argo, bench, desk } = world;
    const named = policies(
      '  podSelector:\n    matchLabels:',
      '  mode: Enforce\n  podSelector:\n    matchLabels:',
    );
    const revision = await world.fleet.commit(named);
    await argo.refresh('team');
    await world.untilFine('team', revision);
    const before = (await bench.policy(team)).metadata.generation;
    await desk.run(`argocd app actions run team audit --kind KeepalivePolicy --resource-name ${team.name}\n`);
    await bench.until('the mode is as in Git again', async () => {
      const { spec, metadata } = await bench.policy(team);
      return metadata.generation >= before + 2 && spec.mode === 'Enforce';
    });
    await world.untilFine('team');
    expect(desk.isAtEnd).toBe(true);
  });
});
