import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';

import { get } from '../cluster/api.ts';
import { Cluster } from '../cluster/cluster.ts';
import { parseGuest } from '../cluster/guest-node/guest-spec.ts';
import type { Host } from '../cluster/host.ts';
import { buildah, saveImage, toolsImage } from '../cluster/image.ts';
import { repository } from '../cluster/place.ts';
import type { ProcessId } from '../cluster/process.ts';
import { isAlive, processes } from '../cluster/process.ts';
import type { Nat, NatOptions } from '../cluster/router.ts';
import { startNat } from '../cluster/router.ts';
import { until } from '../cluster/wait.ts';

/** Values the kernel counts by itself. */
const COUNTED =
  /^(fs\.(dentry-state|file-nr|inode-nr|inode-state|quota)|kernel\.(ns_last_pid|pty\.nr|random\.|tainted)|.*nf_conntrack_(count|expect)|net\.netfilter\.nf_conntrack_buckets)/;

/** What a cluster must not change of the machine it runs on. */
function machine() {
  const sysctls = execFileSync('sysctl', ['-a'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return {
    mounts: readFileSync('/proc/mounts', 'utf8'),
    links: execFileSync('ip', ['-o', 'address'], { encoding: 'utf8' }),
    routes: execFileSync('ip', ['route'], { encoding: 'utf8' }),
    rules: execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }),
    sysctls: sysctls.split('\n').filter((line) => !COUNTED.test(line)),
  };
}

/** Control groups of a cluster, wherever they are mounted. */
function controlGroups(cluster: string): string[] {
  const found = readdirSync('/sys/fs/cgroup').flatMap((entry) => {
    const folder = join('/sys/fs/cgroup', entry);
    return [entry, ...(existsSync(folder) ? list(folder) : [])];
  });
  return found.filter((name) => name.startsWith(`keepalive-lab.${cluster}.`));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Every process in these hosts, pods included. */
function processesIn(hosts: readonly Host[]): ProcessId[] {
  const everyone = processes();
  const below = (parents: readonly number[]): ProcessId[] => {
    const children = everyone.filter(({ parent }) => parents.includes(parent));
    return children.length === 0 ? [] : [...children, ...below(children.map(({ pid }) => pid))];
  };
  return [...hosts.map(({ id }) => id), ...below(hosts.map(({ id }) => id.pid))];
}

jest.setTimeout(120_000);
const before = machine();
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  [one, two] = await Promise.all([
    Cluster.up({ name: 'test-one', nodes: 2, owned: true }),
    Cluster.up({ name: 'test-two', owned: true, guests: [parseGuest('bookworm,containerd')] }),
  ]);
}, 900_000);

afterAll(async () => {
  await Promise.all([one.down(), two.down()]);
});

describe('two clusters side by side', () => {
  test('have nothing in common', async () => {
    await one.apply('{apiVersion: v1, kind: ConfigMap, metadata: {name: only-in-one}}');
    expect(await two.kubectl('get', 'configmaps', '-o', 'name')).not.toContain('only-in-one');
    expect((await get(one.apiSocket, '/api/v1/namespaces/default/configmaps/only-in-one')).status).toBe(200);
    const ready = await one.kubectl('get', 'nodes', '-o', 'name');
    expect(ready.trim().split('\n')).toEqual(['node/n1', 'node/n2']);
  });

  test('a pod on one node talks to a pod on another under its own address, by IPv4 and IPv6', async () => {
    await one.apply(
      `${pod('server', 'n2', ['idle', 'serve', '7000'])}\n---\n${pod('client', 'n1', ['sleep', '600'])}`,
    );
    await one.kubectl('wait', '--for=condition=Ready', 'pods', '--all', '--timeout=60s');
    const [server, client] = await Promise.all(['server', 'client'].map((name) => addressesOf(name)));
    for (const address of server ?? [])
      await one.kubectl('exec', 'client', '--', 'idle', 'connect', address, '7000', '--silent', '0');
    const log = await one.kubectl('logs', 'server');
    for (const address of client ?? []) expect(log).toContain(`${address} port`);
  });

  test('a node that lost power comes back with its pods', async () => {
    const path = 'jsonpath={.status.containerStatuses[0].state.running.startedAt}';
    const startedAt = () => one.kubectl('get', 'pod', 'client', '-o', path);
    const first = await startedAt();
    await one.rebootNode('n1');
    await until('the pod runs again', async () => !['', first].includes(await startedAt()), { everyMs: 200 });
    expect(await one.kubectl('exec', 'client', '--', 'cat', '/proc/sys/net/ipv4/tcp_keepalive_time')).toBe(
      '7200\n',
    );
  });
});

describe('a command run inside', () => {
  test('is given standard input and gives its exit code', async () => {
    const { stdout, code } = await one.exec(['sh', '-c', 'cat; exit 7'], { stdin: 'said' });
    expect({ stdout, code }).toEqual({ stdout: 'said', code: 7 });
  });

  test('does so from the command line too, and standard output is its own', async () => {
    const argv = [
      join(repository, 'test/start.mjs'),
      'test/cluster/cli.ts',
      'exec',
      '--name',
      'test-one',
      '--',
    ];
    const child = spawn(process.execPath, [
      ...argv,
      'sh',
      '-c',
      'cat; kubectl config current-context; exit 7',
    ]);
    let stdout = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stdin.end('said\n');
    const [code] = (await once(child, 'close')) as [number];
    expect({ stdout, code }).toEqual({ stdout: 'said\nlab\n', code: 7 });
  });

  test('ends when the caller ends it', async () => {
    const child = one.spawn(['sh', '-c', 'echo $$; exec sleep 600']);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    const started = processes().find(({ parent }) => parent === child.pid);
    expect(started?.argv).toEqual(['sleep', '600']);
    child.kill();
    await until('the command ends', () => started !== undefined && !isAlive(started));
  });
});

test('an image archive is loaded onto every node', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-test-'));
  try {
    await buildah('tag', toolsImage, 'localhost/loaded:1');
    await saveImage('localhost/loaded:1', join(folder, 'image.tar'));
    await buildah('rmi', 'localhost/loaded:1');
    for (const cluster of [one, two]) await cluster.load(join(folder, 'image.tar'));
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const cluster of [one, two])
    for (const node of [...cluster.nodes, ...cluster.guests.map(({ name }) => name)])
      expect(await cluster.onNode(node, 'ctr -n k8s.io images list -q')).toContain('localhost/loaded:1');
}, 600_000);

test('a guest is a node like the others, and what its kubelet says is read as theirs', async () => {
  const nodes = await two.kubectl('get', 'nodes', '-o', 'name');
  expect(nodes.trim().split('\n')).toContain('node/g1');
  expect(two.componentNames).toContain('g1/kubelet');
  expect(readFileSync(two.logPath('g1/kubelet'), 'utf8')).toMatch(/kubelet/);
});

test('the API server starts again on the same data', async () => {
  const apiserver = two.component('apiserver');
  await two.kubectl('create', 'configmap', 'kept');
  await apiserver.stop();
  await expect(two.kubectl('get', 'configmap', 'kept')).rejects.toThrow(/refused/);
  await apiserver.start();
  expect(await two.kubectl('get', 'configmap', 'kept', '-o', 'name')).toBe('configmap/kept\n');
});

describe('a NAT that forgets after 2 s', () => {
  const forgets: Pick<NatOptions, 'forgetsAfterSeconds'> = { forgetsAfterSeconds: 2 };
  let nats: Record<'snat' | 'dnat' | 'row', Nat>;

  beforeAll(async () => {
    const snat = await startNat(two.lab, {
      ...forgets,
      name: 'snat',
      kind: 'snat',
      then: 'reset',
      outside: 'server',
    });
    const dnat = await startNat(two.lab, {
      ...forgets,
      name: 'dnat',
      kind: 'dnat',
      then: 'silence',
      outside: 'server',
    });
    const near = await startNat(two.lab, {
      forgetsAfterSeconds: 60,
      name: 'near',
      kind: 'dnat',
      then: 'silence',
    });
    const row = await startNat(two.lab, {
      ...forgets,
      name: 'far',
      kind: 'snat',
      then: 'reset',
      outside: 'far-server',
      beyond: near,
    });
    nats = { snat, dnat, row };
    for (const { outside } of [snat, row]) {
      const server = outside.spawn(['idle', 'serve', '7000']);
      await once(server.stdout as NodeJS.ReadableStream, 'data');
    }
  });

  const reset = 'silent 4 s: ECONNRESET (104) Connection reset by peer';
  const silence = 'silent 4 s: no answer within 10 s';

  test.concurrent.each([
    { nat: 'snat', family: 'v4', says: reset },
    { nat: 'snat', family: 'v6', says: reset },
    { nat: 'dnat', family: 'v4', says: silence },
    { nat: 'dnat', family: 'v6', says: silence },
    { nat: 'row', family: 'v4', says: reset },
    { nat: 'row', family: 'v6', says: reset },
  ] as const)('$nat, IP$family: $says', async ({ nat, family, says }) => {
    const { stdout, code } = await connect(nats[nat].address[family]);
    expect({ stdout, code }).toEqual({ stdout: expect.stringContaining(says), code: 1 });
  });

  test('a connection that asks the kernel for keepalive outlives every one of them', async () => {
    const client = await two.lab.host('control');
    await client.sysctl({ 'net.ipv4.tcp_keepalive_time': 1, 'net.ipv4.tcp_keepalive_intvl': 1 });
    const all = Object.values(nats).flatMap(({ address }) => [address.v4, address.v6]);
    const outcomes = await Promise.all(all.map((address) => connect(address, '--keepalive')));
    expect(outcomes.map(({ code }) => code)).toEqual(all.map(() => 0));
  });

  function connect(address: string, ...more: string[]) {
    return two.exec(['idle', 'connect', address, '7000', '--silent', '4', ...more]);
  }
});

test('a cluster whose owner was killed dies with it, and the next start clears up after it', async () => {
  const script = `
    const { Cluster } = await import(${JSON.stringify(join(repository, 'test/cluster/cluster.ts'))});
    await Cluster.up({ name: 'test-orphan', owned: true });
    console.log('up');
    setInterval(() => undefined, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');
  const orphan = Cluster.find('test-orphan');
  const inside = processesIn(orphan?.lab.hosts() ?? []);
  expect(inside.length).toBeGreaterThan(8);
  owner.kill('SIGKILL');
  await until('all of it has ended', () => !inside.some(isAlive));
  expect(controlGroups('test-orphan')).not.toEqual([]);

  const next = await Cluster.up({ name: 'test-orphan', owned: true });
  await next.down();
  expect(controlGroups('test-orphan')).toEqual([]);
});

test('nothing is left of a cluster that was taken down, and the machine is as it was', async () => {
  const inside = [...processesIn(one.lab.hosts()), ...processesIn(two.lab.hosts())];
  await Promise.all([one.down(), two.down()]);
  expect(inside.filter(isAlive)).toEqual([]);
  expect([...controlGroups('test-one'), ...controlGroups('test-two')]).toEqual([]);
  expect([one, two].map(({ lab }) => existsSync(lab.folder))).toEqual([false, false]);
  expect(machine()).toEqual(before);
});

function pod(name: string, nodeName: string, command: readonly string[]): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: toolsImage, imagePullPolicy: 'Never', command }],
    },
  });
}

async function addressesOf(name: string): Promise<string[]> {
  const path = '{range .status.podIPs[*]}{.ip}{"\\n"}{end}';
  return (await one.kubectl('get', 'pod', name, '-o', `jsonpath=${path}`)).trim().split('\n');
}
