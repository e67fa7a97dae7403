import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { loadProduct } from '../cluster/install.ts';
import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { Bench, condition, isReady, sleeper, untouched } from '../e2e/shared.ts';
import { filesOf } from '../unit/docs/console.ts';
import { Page } from '../unit/docs/page.ts';
import { helmProgram } from '../support/helm.ts';
import { kustomizeProgram } from '../support/kustomize.ts';
import type { Application } from './argocd/argocd.ts';
import { ArgoCd, argoBuildMs, argoPackages, argoProgram, standing } from './argocd/argocd.ts';
import { workloads } from './argocd/workloads.ts';
import type { GitRepository } from './git/git-repository.ts';
import { ServedRepositories, gitServer } from './git/served.ts';

/** A cluster of its own, into which everything comes by Argo CD, as docs/argocd.md says. */
const page = new Page('docs/argocd.md');
const team = { kind: 'kap', name: 'behind-the-nat', namespace: 'db' } as const;
const fine = 'Synced Healthy';
let cluster: Cluster;
let bench: Bench;
let argo: ArgoCd;
let fleet: GitRepository;
/** Where the user of the page stands. */
let desk: string;

beforeAll(async () => {
  await provide({ programs: [argoProgram], unpacked: [argoPackages] }, undefined);
  await helmProgram('Helm 3');
  await kustomizeProgram();
  cluster = await Cluster.up({ name: 'e2e-argocd', nodes: 1, owned: true });
  bench = new Bench(cluster);
  await loadProduct(cluster);
  argo = await ArgoCd.start(cluster);
  const repositories = await ServedRepositories.start(cluster);
  fleet = await repositories.create('fleet');
  fleet.copy(repository, ['crds', 'deploy'], 'keepalive-operator');
  desk = join(cluster.lab.folder, 'desk');
  mkdirSync(desk);
  symlinkSync(join(repository, 'deploy'), join(desk, 'deploy'));
  for (const [name, text] of filesOf(page))
    if (!name.includes('/')) writeFileSync(join(desk, name), asHere(text));
}, argoBuildMs);
afterAll(() => cluster.down());

/** The registry and the repository of the page are those of the lab. */
const asHere = (text: string) =>
  text
    .replaceAll('https://git.example.org/fleet.git', `${gitServer}/fleet`)
    .replaceAll('REGISTRY/keepalive-operator', 'keepalive.dev/keepalive-operator')
    .replaceAll('REGISTRY', 'keepalive.dev');

/** Files of the page that are for Git. */
const inGit = () =>
  Object.fromEntries(
    [...filesOf(page)].filter(([name]) => name.includes('/')).map(([name, text]) => [name, asHere(text)]),
  );

const commands = page.blocks('sh');
let next = 0;
/** Runs the next block of the page, which has to be the one with this in it; gives back what it prints. */
async function readOn(mark: string): Promise<string> {
  const block = commands[next] ?? '';
  expect(block).toContain(mark);
  next += 1;
  const env = { HOME: desk, PATH: `${argoProgram.place}:${cluster.environment().PATH}` };
  const { stdout, stderr, code } = await cluster.exec(['sh', '-ec', `cd ${desk}\n${block}`], { env });
  if (code !== 0) throw new Error(`${block}ended with status ${code}: ${stderr}`);
  return stdout;
}

const untilFine = (name: string, revision?: string, timeoutMs = 240_000) =>
  argo.until(
    name,
    (one) =>
      standing(one) === fine &&
      one.status?.operationState?.phase === 'Succeeded' &&
      (revision === undefined || one.status.sync?.revision === revision),
    { timeoutMs },
  );

const healthOf = ({ status }: Application, kind: string) =>
  status?.resources?.find((one) => one.kind === kind)?.health?.status;

/** Refreshes while pods come and go and statuses change; every standing that any list of Applications would have shown. */
async function seenThrough(times: number, names: readonly string[]): Promise<string[]> {
  const seen = new Set<string>();
  for (let round = 1; round <= times; round += 1) {
    const pod = sleeper(`visitor-${round}`, 'db', { labels: { app: 'mongo' } });
    await bench.apply(pod);
    for (const name of names)
      seen.add(`${name} ${standing(await argo.refresh(name, round % 10 === 0 ? 'hard' : 'normal'))}`);
    await cluster.kubectl('delete', 'pod', pod.metadata.name, '-n', 'db', '--now', '--wait=false');
  }
  return [...seen];
}

test('one command tells Argo CD of the health of our kinds', async () => {
  await readOn('kubectl patch configmap argocd-cm');
  const keys = await bench.json<{ data: object }>('configmap', 'argocd-cm', '-n', 'argocd');
  expect(Object.keys(keys.data).filter((key) => key.includes('keepalive.dev'))).toHaveLength(5);
});

test('the manifests become an Application that is Synced and Healthy', async () => {
  await readOn('kubectl apply -f operator.yaml');
  await untilFine('keepalive-operator');
});

test('so do policies and workloads, while admission changes the pods', async () => {
  const revision = await fleet.commit({ ...inGit(), 'team/workloads.yaml': workloads });
  await readOn('kubectl apply -f team.yaml');
  const application = await untilFine('team', revision);
  for (const kind of ['KeepalivePolicy', 'ClusterKeepalivePolicy', 'Deployment', 'StatefulSet', 'Pod', 'Job'])
    expect([kind, healthOf(application, kind)]).toEqual([kind, 'Healthy']);
  await bench.until(
    'the Pod in Git holds the values',
    async () => (await bench.valuesIn('solo', 'db')) === '30/10/6',
  );
});

test('Argo CD says of a policy what its program says of it without a server', async () => {
  const said = await readOn('resource-overrides health');
  expect(said).toContain('STATUS: Healthy\n');
  expect(said).toContain('keepalive 30/10/6');
});

test('self-heal puts back what somebody changes by hand, and the Pod of Git is changed by admission', async () => {
  const before = (await bench.policy(team)).metadata.generation;
  const change = { spec: { path: [{ name: 'office-nat', type: 'NAT', idleTimeoutSeconds: 900 }] } };
  await cluster.kubectl('patch', 'kap', team.name, '-n', 'db', '--type=merge', '-p', JSON.stringify(change));
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
  await untilFine('team');
});

test('both stay Synced and Healthy through 50 refreshes, while pods come and go and statuses change', async () => {
  const before = (await bench.policy(team)).metadata.resourceVersion;
  const seen = await seenThrough(50, ['team', 'keepalive-operator']);
  expect(seen.sort()).toEqual([`keepalive-operator ${fine}`, `team ${fine}`]);
  expect((await bench.policy(team)).metadata.resourceVersion).not.toBe(before);
}, 1_200_000);

describe('on the server side', () => {
  test('both are applied and compared, and nothing differs', async () => {
    await readOn('ServerSideDiff=true');
    const options = {
      spec: { syncPolicy: { syncOptions: ['CreateNamespace=true', 'ServerSideApply=true'] } },
    };
    await cluster.kubectl(
      'patch',
      'application',
      'team',
      '-n',
      'argocd',
      '--type=merge',
      '-p',
      JSON.stringify(options),
    );
    const operation = { operation: { sync: { syncOptions: ['ServerSideApply=true'] } } };
    for (const name of ['team', 'keepalive-operator']) {
      await cluster.kubectl(
        'patch',
        'application',
        name,
        '-n',
        'argocd',
        '--type=merge',
        '-p',
        JSON.stringify(operation),
      );
      await untilFine(name);
    }
    expect((await seenThrough(10, ['team', 'keepalive-operator'])).sort()).toEqual([
      `keepalive-operator ${fine}`,
      `team ${fine}`,
    ]);
  }, 600_000);

  test('a policy that is changed in Git is in force when the Application is Healthy', async () => {
    const files = inGit();
    const text = files['team/policies.yaml']?.replace('idleTimeoutSeconds: 90', 'idleTimeoutSeconds: 60');
    const revision = await fleet.commit({ 'team/policies.yaml': text });
    await argo.refresh('team');
    await untilFine('team', revision);
    const { status } = await bench.policy(team);
    expect(status?.effective?.idleTimeoutSeconds).toBe(60);
    expect(condition(status, 'Ready')?.status).toBe('True');
  });
});

test('the actions are offered, and say what they would change', async () => {
  const said = await readOn('list-actions');
  expect(said).toMatch(/^audit +false$/m);
  expect(said).toMatch(/^> +mode: Audit$/m);
});

test('what an action changes stays where Git does not name the mode, and Argo CD calls it Suspended', async () => {
  await cluster.kubectl(
    'patch',
    'kap',
    team.name,
    '-n',
    'db',
    '--type=merge',
    '-p',
    '{"spec":{"mode":"Audit"}}',
  );
  await bench.status(team, (status) => condition(status, 'Ready')?.reason === 'Audited');
  await argo.refresh('team');
  const suspended = await argo.until('team', (one) => standing(one) === 'Synced Suspended');
  expect(healthOf(suspended, 'KeepalivePolicy')).toBe('Suspended');
  await cluster.kubectl(
    'patch',
    'kap',
    team.name,
    '-n',
    'db',
    '--type=merge',
    '-p',
    '{"spec":{"mode":"Enforce"}}',
  );
  await untilFine('team');
});

test('the chart becomes an Application in place of the manifests, and the policies come back', async () => {
  await readOn('kubectl apply -f chart.yaml');
  await untilFine('keepalive-operator');
  await argo.refresh('team');
  await untilFine('team', undefined, 400_000);
  await bench.until('the node holds the values', async () => (await bench.valuesOf('n1')) !== untouched);
  expect(next).toBe(commands.length);
}, 600_000);
