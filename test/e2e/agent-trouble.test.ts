import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { runOrThrow } from '../cluster/command.ts';
import type { ProcessEntry } from '../cluster/process.ts';
import { isAlive, processesIn, signal } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';
import { Bench, ckap, isReady, kap, sleeper, untouched } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-trouble';
const nodes = ['n1', 'n2', 'n3'];
const agents = ['-n', 'keepalive-agent'];
const daemonSet = [...agents, 'daemonset/keepalive-agent'];
const remove = (...args: string[]) => bench.cluster.kubectl('delete', ...args);
const rolledOut = () => bench.cluster.kubectl('rollout', 'status', ...daemonSet, '--timeout=120s');
const podOn = (node: string) => `on-${node}`;

beforeAll(async () => {
  await bench.namespace(namespace);
  await bench.cluster.kubectl('set', 'env', ...daemonSet, 'RESYNC_SECONDS=1');
  await rolledOut();
  await bench.start(...nodes.map((node) => sleeper(podOn(node), namespace, { spec: { nodeName: node } })));
  await enforce(90);
  await untilEverywhere('30/10/6');
});
afterAll(async () => {
  await remove('ckap', '--all');
  await remove('namespace', namespace, '--wait=false');
  await bench.cluster.kubectl('set', 'env', ...daemonSet, 'RESYNC_SECONDS-');
  await rolledOut();
});

/** Of the pods and of the nodes. */
async function enforce(seconds: number): Promise<void> {
  await bench.apply(kap(namespace, 'pods', seconds));
  await bench.apply(ckap('hosts', seconds, { podSelector: undefined, nodes: { selector: {} } }));
}
async function relax(): Promise<void> {
  await remove('kap', 'pods', '-n', namespace);
  await remove('ckap', 'hosts');
}
async function everywhere(): Promise<string[]> {
  const inPods = nodes.map((node) => bench.valuesIn(podOn(node), namespace));
  return Promise.all([...inPods, ...nodes.map((node) => bench.valuesOf(node))]);
}
function untilEverywhere(values: string): Promise<unknown> {
  return until(`all pods and nodes hold ${values}`, async () =>
    (await everywhere()).every((one) => one === values),
  );
}

/** The process of a node's agent, as this machine numbers it, once it runs. */
function agentOf(node: string): Promise<ProcessEntry> {
  return until(`an agent runs on ${node}`, () =>
    processesIn(`${bench.cluster.name}.${node}/`).find(
      ({ argv }) => argv.includes('/app/main.mjs') && argv.includes('agent'),
    ),
  );
}

/** What the kernel of a pod holds, and the means to change it, without the API server. */
async function inPod(
  node: string,
): Promise<{ values: () => Promise<string>; set: (time: number) => Promise<string> }> {
  const { metadata } = await bench.json<{ metadata: { uid: string } }>('pod', podOn(node), '-n', namespace);
  const sandbox = processesIn(metadata.uid).find(({ argv }) => argv[0] === '/pause');
  const enter = ['nsenter', '-t', String(sandbox?.pid), '-n', '--'];
  const keys = ['time', 'intvl', 'probes'].map((name) => `net.ipv4.tcp_keepalive_${name}`);
  return {
    values: async () => (await runOrThrow([...enter, 'sysctl', '-n', ...keys])).trim().split('\n').join('/'),
    set: (time) => runOrThrow([...enter, 'sysctl', '-qw', `net.ipv4.tcp_keepalive_time=${time}`]),
  };
}

describe('while the API server is away', () => {
  test('what somebody sets back is put right, by the agent that ran and by one that starts meanwhile', async () => {
    const pod = await inPod('n1');
    const apiserver = bench.cluster.component('apiserver');
    await apiserver.stop('SIGKILL');
    try {
      await pod.set(7200);
      await until('it is put right', async () => (await pod.values()) === '30/10/6');
      const before = await agentOf('n1');
      signal(before, 'SIGKILL');
      await until('it has ended', () => !isAlive(before));
      expect((await agentOf('n1')).pid).not.toBe(before.pid);
      await pod.set(7200);
      await until(
        'it is put right by what the node remembers',
        async () => (await pod.values()) === '30/10/6',
      );
    } finally {
      await apiserver.start();
    }
    await bench.cluster.kubectl('wait', 'pod', ...agents, '--all', '--for=condition=Ready', '--timeout=90s');
    await relax();
    await untilEverywhere(untouched);
    await enforce(90);
    await untilEverywhere('30/10/6');
  });
});

test('agents that are killed at any moment of a change leave nothing that the next cannot put back', async () => {
  for (let round = 0; round < 8; round += 1) {
    const seconds = round % 2 === 0 ? 18 : 90;
    const killed = await agentOf('n2');
    const change = enforce(seconds);
    // From before the event reaches the agent to well after it has acted; a look each time, not a wait for a time.
    await new Promise((resolve) => setTimeout(resolve, 60 * round));
    signal(killed, 'SIGKILL');
    await change;
    // That of the round before may be gone while nobody has made the next one yet.
    const pods = await until('the node has an agent', async () => {
      const onNode = ['get', 'pod', ...agents, '--field-selector=spec.nodeName=n2', '-o', 'name'];
      const names = (await bench.cluster.kubectl(...onNode)).trim();
      return names !== '' && names.split('\n');
    });
    // A new pod starts at once; the kubelet would let a container that ended wait longer each time.
    await remove(...agents, ...pods, '--force', '--grace-period=0');
    await untilEverywhere(seconds === 18 ? '6/2/6' : '30/10/6');
  }
  await relax();
  await untilEverywhere(untouched);
  await enforce(90);
  await untilEverywhere('30/10/6');
});

test('an upgrade, told to end one agent after the other, lets no value go', async () => {
  let seen = new Set<string>();
  const pods = await Promise.all(nodes.map(inPod));
  let done = false;
  const watching = (async () => {
    while (!done) for (const { values } of pods) seen = seen.add(await values());
  })();
  await bench.cluster.kubectl('rollout', 'restart', ...daemonSet);
  await rolledOut();
  done = true;
  await watching;
  expect([...seen]).toEqual(['30/10/6']);
  await relax();
  await untilEverywhere(untouched);
  await enforce(90);
  await untilEverywhere('30/10/6');
});

test('an agent whose pod is deleted by force, token and all, is not taken for uninstalled', async () => {
  const before = await agentOf('n1');
  const { values } = await inPod('n1');
  const name = await bench.cluster.kubectl(
    ...['get', 'pod', ...agents, '--field-selector=spec.nodeName=n1', '-o', 'name'],
  );
  await remove(...agents, name.trim(), '--force', '--grace-period=0');
  const seen = new Set<string>();
  await until('the process has ended', async () => {
    seen.add(await values());
    return !isAlive(before);
  });
  await rolledOut();
  seen.add(await values());
  expect([...seen]).toEqual(['30/10/6']);
  await relax();
  await untilEverywhere(untouched);
  await enforce(90);
  await untilEverywhere('30/10/6');
});

test('a node that starts again begins anew: nothing of before is remembered, and its pods are covered', async () => {
  // Found with another value than it starts with: by that the report of before is told from the next.
  await relax();
  await untilEverywhere(untouched);
  const before = await bench.cluster.lab.host('n3');
  await before.sysctl({ 'net.ipv4.tcp_keepalive_time': 5000 });
  await enforce(90);
  await untilEverywhere('30/10/6');
  await bench.report('n3', ({ host }) => host?.found?.timeSeconds === 5000);
  await bench.cluster.rebootNode('n3');
  await until('its pod runs again', async () => {
    const { code } = await bench.cluster.exec([
      'kubectl',
      'exec',
      podOn('n3'),
      '-n',
      namespace,
      '--',
      'true',
    ]);
    return code === 0;
  });
  await untilEverywhere('30/10/6');
  await bench.report('n3', ({ host }) => host?.now?.timeSeconds === 30 && host.found?.timeSeconds === 7200);
  // The node may have gone before it reported on this policy: then its report of now makes it Ready, a moment later.
  await bench.status({ kind: 'ckap', name: 'hosts' }, (s) => isReady(s) && s.hosts?.live === 3);
  await relax();
  await untilEverywhere(untouched);
});

test('the object of a node that is removed goes with it', async () => {
  await bench.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n9' } });
  const { metadata } = await bench.json<{ metadata: { uid: string } }>('node', 'n9');
  await bench.apply({
    apiVersion: 'keepalive.dev/v1alpha1',
    kind: 'NodeKeepalive',
    metadata: {
      name: 'n9',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n9', uid: metadata.uid }],
    },
  });
  const [own] = (await bench.json<{ metadata: { ownerReferences: { kind: string }[] } }>('nka', 'n1'))
    .metadata.ownerReferences;
  expect(own).toMatchObject({ kind: 'Node', name: 'n1' });
  await remove('node', 'n9');
  await until('it is gone', async () => !(await bench.exists('nka', 'n9')));
});
