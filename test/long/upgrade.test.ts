import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';

import product from '../../package.json' with { type: 'json' };
import { Cluster } from '../cluster/cluster.ts';
import { loadProduct } from '../cluster/install.ts';
import { repository } from '../cluster/place.ts';
import { Bench, ckap, condition, isReady, kap, sleeper, untouched } from '../e2e/shared.ts';
import { isKeepalive, timersTo } from '../e2e/talker.ts';
import { buildHelms, buildMs } from '../support/helm.ts';
import { manifestsOf } from '../support/manifest.ts';
import { seenDuring } from '../support/seen-during.ts';
import { sourceBefore, versionBefore } from '../support/version-before.ts';
import { Releases } from './release.ts';

/** A cluster of its own, which is upgraded from the version before this one, and has parts of both beside each other. */
let cluster: Cluster;
let bench: Bench;
let before: Releases;
let now: Releases;
let server: string;
// Every test waits for programs of two versions to follow each other.
jest.setTimeout(600_000);
const work = mkdtempSync(join(tmpdir(), 'keepalive-before-'));
const home = 'keepalive-system';
const team = { kind: 'kap', name: 'team', namespace: 'default' } as const;
const platform = { kind: 'ckap', name: 'platform' } as const;

const declare = (seconds: number) =>
  bench.apply(kap('default', 'team', seconds), ckap('platform', seconds, { nodes: { selector: {} } }));

/** `idle`, the client or server that keeps silent. */
function talker(name: string, ...args: readonly string[]) {
  const pod = sleeper(name, 'default', { spec: { nodeName: 'n1' } });
  const [main] = pod.spec.containers;
  return { ...pod, spec: { ...pod.spec, containers: [{ ...main, command: ['idle', ...args] }] } };
}

beforeAll(async () => {
  await buildHelms();
  const folder = join(work, 'before');
  mkdirSync(folder);
  await sourceBefore(folder);
  cluster = await Cluster.up({ name: 'e2e-upgrade', nodes: 1, owned: true });
  bench = new Bench(cluster, { patience: 3 });
  await loadProduct(cluster, undefined, { folder, tag: versionBefore });
  await loadProduct(cluster);
  before = new Releases(cluster, 'Helm 4', join(folder, 'deploy/chart'));
  now = new Releases(cluster, 'Helm 4');
  await bench.start(talker('server', 'serve', '7000') as ReturnType<typeof sleeper>);
  const { status } = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', 'default');
  server = status.podIP;
  const connect = ['connect', server, '7000', '--silent', '36000'];
  await bench.start(talker('client', ...connect) as ReturnType<typeof sleeper>);
}, buildMs);
afterAll(async () => {
  rmSync(work, { recursive: true });
  await cluster.down();
});

/** What a running pod, the node and a pod that would be made this moment have. */
async function everywhere(): Promise<string[]> {
  const born = (await bench.dryRun(sleeper('new', 'default'))).map(({ value }) => value).join('/');
  return [await bench.valuesIn('client', 'default'), await bench.valuesOf('n1'), born];
}
/** The look says it of all connections of the client, a new one each time: nobody has looked for that by descriptors yet. */
const speak = 'every connection speaks';
async function connections(): Promise<string> {
  const talk = `idle connect ${server} 7000 --silent 1`;
  const look = 'while read -r line; do case $line in connected*) cat /proc/net/tcp; break;; esac; done';
  const table = await cluster.kubectl('exec', 'client', '--', 'sh', '-c', `${talk} | { ${look}; }`);
  const timers = timersTo(table, '7000');
  if (timers.length < 2) return `no connection was made: ${table}`;
  return timers.every((timer) => isKeepalive(timer, 30)) ? speak : timers.join(' ');
}
const valuesAndConnections = async () => [...(await everywhere()), await connections()];
const untilEverywhere = (values: string) =>
  bench.until(`pods and node hold ${values}`, async () =>
    (await everywhere()).every((one) => one === values),
  );

const readyOf = async (policy: typeof team | typeof platform) =>
  condition((await bench.policy(policy)).status, 'Ready')?.status ?? 'none';
/** The same, and what both policies say of themselves. */
const everywhereAndSaid = async () => [
  ...(await valuesAndConnections()),
  ...(await Promise.all([team, platform].map(readyOf))).map((status) => `Ready ${status}`),
];

async function untilTold(agent: string): Promise<void> {
  await bench.report('n1', ({ agentVersion }) => agentVersion === agent);
  const isCovered = (status: Parameters<typeof isReady>[0]) =>
    isReady(status) && condition(status, 'Covered')?.status === 'True';
  // The two pods, and both ends of the connection that was open before all of it.
  await bench.status(
    team,
    (status) => isCovered(status) && status.pods?.live === 2 && status.connections?.protected === 2,
  );
  await bench.status(platform, (status) => isCovered(status) && status.hosts?.live === 1);
}

/** The kinds as the API server has them, by their names. */
async function kinds(): Promise<Record<string, unknown>> {
  const { items } = await bench.json<{ items: readonly Kind[] }>('customresourcedefinitions');
  return schemasOf(items.filter(({ metadata }) => metadata.name.endsWith('.keepalive.dev')));
}
interface Kind {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly versions: readonly { readonly name: string; readonly schema: object }[] };
}
const schemasOf = (all: readonly Kind[]) =>
  Object.fromEntries(
    all.map(({ metadata, spec }) => [
      metadata.name,
      spec.versions.map(({ name, schema }) => ({ name, schema })),
    ]),
  );
const kindsIn = (root: string) =>
  schemasOf(
    readdirSync(join(root, 'crds')).flatMap((file) =>
      manifestsOf(readFileSync(join(root, 'crds', file), 'utf8'))
        .filter(({ kind }) => kind === 'CustomResourceDefinition')
        .map((one) => one as unknown as Kind),
    ),
  );

const workloads = {
  agent: ['keepalive-agent', 'daemonset/keepalive-agent'],
  controller: [home, 'deployment/keepalive-controller'],
} as const;

/** One part alone, of another version than the rest. */
async function run(part: keyof typeof workloads, tag: string): Promise<void> {
  const [namespace, workload] = workloads[part];
  const image = `${part}=keepalive.dev/keepalive-operator:${tag}`;
  await cluster.kubectl('set', 'image', '-n', namespace, workload, image);
  await cluster.kubectl('rollout', 'status', '-n', namespace, workload, '--timeout=120s');
}

const unchanged = ['30/10/6', speak, 'Ready True'];

test('the version before acts', async () => {
  await before.install('keepalive', home, '--set', `image.tag=${versionBefore}`);
  await declare(90);
  await untilEverywhere('30/10/6');
  await untilTold(versionBefore);
  expect(await kinds()).toEqual(kindsIn(join(work, 'before')));
});

const toThis = ['--reset-then-reuse-values', '--set', 'image.tag='];

/** Of Ready it says nothing: the controller of the commit that stands for a version before tells at once of objects that are not its own. */
test('an upgrade from it brings the kinds, and takes no value away', async () => {
  const seen = await seenDuring(valuesAndConnections, async () => {
    await now.upgrade('keepalive', home, ...toThis);
    await untilTold(product.version);
  });
  expect(seen).toEqual(['30/10/6', speak]);
  expect(await kinds()).toEqual(kindsIn(repository));
});

test('a rollback takes neither a value nor readiness away', async () => {
  const seen = await seenDuring(everywhereAndSaid, async () => {
    await now.rollback('keepalive', home, 1);
    await untilTold(versionBefore);
  });
  expect(seen).toEqual(unchanged);
  expect(await kinds()).toEqual(kindsIn(join(work, 'before')));
});

test('the same upgrade follows a rollback', async () => {
  const seen = await seenDuring(valuesAndConnections, async () => {
    await now.upgrade('keepalive', home, ...toThis);
    await untilTold(product.version);
  });
  expect(seen).toEqual(['30/10/6', speak]);
});

describe('agents of the version before, with the rest of this one', () => {
  test.each([versionBefore, product.version])('are followed by those of %s', async (version) => {
    const seen = await seenDuring(everywhereAndSaid, async () => {
      await run('agent', version);
      await untilTold(version);
    });
    expect(seen).toEqual(unchanged);
    await declare(60);
    await untilEverywhere('20/7/6');
    await untilTold(version);
    await declare(90);
    await untilEverywhere('30/10/6');
    await untilTold(version);
  });
});

describe('a controller of the version before, with the rest of this one', () => {
  test('names the difference, and its policies are followed all the same', async () => {
    expect(await seenDuring(valuesAndConnections, () => run('controller', versionBefore))).toEqual([
      '30/10/6',
      speak,
    ]);
    await declare(60);
    await untilEverywhere('20/7/6');
    await bench.status(
      team,
      (status) =>
        condition(status, 'Ready')?.reason === 'AdmissionDiffers' &&
        [status.pods?.live, status.connections?.protected].every((count) => count === 2),
    );
    await declare(90);
    await untilEverywhere('30/10/6');
  });

  test('is followed by this one without any other value', async () => {
    const seen = await seenDuring(valuesAndConnections, async () => {
      await run('controller', product.version);
      await untilTold(product.version);
    });
    expect(seen).toEqual(['30/10/6', speak]);
  });
});

test('what the version before has set is put back by this one', async () => {
  await cluster.kubectl('delete', 'kap,ckap', '-A', '--all');
  await bench.until('pod and node hold what they held', async () => {
    const held = [await bench.valuesIn('client', 'default'), await bench.valuesOf('n1')];
    return held.every((one) => one === untouched);
  });
});
