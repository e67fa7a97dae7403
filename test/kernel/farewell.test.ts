import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { runAgent } from '../../src/agent/agent.ts';
import { KernelLink } from '../../src/agent/kernel-link.ts';
import type { Restored } from '../../src/agent/node-kernel.ts';
import { agentConfig, readConfig } from '../../src/ops/config.ts';
import { createLog } from '../../src/ops/log.ts';
import { HOST } from '../../src/policy/place.ts';
import type { ProcessEntry } from '../cluster/process.ts';
import { processes } from '../cluster/process.ts';
import { until } from '../cluster/wait.ts';
import type { Answer } from '../support/api-server.ts';
import { FakeApiServer, json, stream } from '../support/api-server.ts';
import { asking, platformSpec } from '../support/builder.ts';
import { Machine } from './machine.ts';

const kernel = { timeSeconds: 7200, intervalSeconds: 75, probes: 9 };
const wanted = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
/** Its thread and what it loads may take a while on a machine that is busy. */
const startMs = 120_000;
/** The kubelet kills it after 30 s. */
const leftMs = 20_000;

const meta = (name: string) => ({ name, uid: `uid-of-${name}`, generation: 1, resourceVersion: '1' });
const daemonSet = { metadata: meta('keepalive-agent'), spec: { template: { spec: {} } } };
const owner = { kind: 'DaemonSet', name: 'keepalive-agent', controller: true };
const ownPod = { metadata: { ...meta('agent-1'), ownerReferences: [owner] } };
const spec = platformSpec(90, { podSelector: undefined, nodes: { selector: {} } });

let machine: Machine;
let server: FakeApiServer;
let objects: Record<string, readonly object[]>;
beforeEach(async () => {
  machine = await Machine.start();
  objects = {
    daemonsets: [daemonSet],
    nodes: [{ metadata: meta('n1') }],
    clusterkeepalivepolicies: [{ metadata: meta('hosts'), spec }],
  };
  server = await FakeApiServer.start();
  server.otherwise = answer;
});
afterEach(async () => {
  await server.close();
  await machine.stop();
});

const end = { resourceVersion: '1', annotations: { 'k8s.io/initial-events-end': 'true' } };
/** Nothing ever changes, and what is written is taken without a word. */
const answer: Answer = (response, asked) => {
  const { method, path, query } = asked;
  if (method !== 'GET') return;
  const plural = path.split('/').at(-1) ?? '';
  const items = query.fieldSelector === 'metadata.name=agent-1' ? [ownPod] : (objects[plural] ?? []);
  const told = query.watch === undefined ? json({ metadata: end, items }) : stream(...eventsOf(items));
  return told(response, asked);
};
const eventsOf = (items: readonly object[]) => [
  ...items.map((object) => ({ type: 'ADDED', object })),
  { type: 'BOOKMARK', object: { metadata: end } },
];

function kubeconfig(): string {
  const file = join(machine.folder, 'kubeconfig');
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'it', users: [{ name: 'it', user: {} }] },
    clusters: [{ name: 'it', cluster: { server: server.url } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

test('values go back while the program for connections is still being loaded, which its removal waits for', async () => {
  await machine.host.execOrThrow(['mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf'], { cwd: '/' });
  const objectFile = join(machine.folder, 'program.o');
  execFileSync('mkfifo', [objectFile]);
  // It is read twice: to know it by, and where it is loaded, which waits for somebody to write it once more.
  const written = writeFile(objectFile, 'no program');
  const link = new KernelLink({ procRoot: machine.procRoot, ledgerFile: machine.ledgerFile, objectFile });
  const isLoader = ({ argv }: ProcessEntry) => argv.some((word) => word.includes(`"${objectFile}"`));
  try {
    await written;
    const loader = await until('it is being loaded', () => processes().find(isLoader));
    await link.visit([{ place: HOST, wanted: asking(90), anew: false, asked: true }], new Map());
    expect(await machine.values()).toEqual(wanted);
    let restored: Restored | undefined;
    void link.restoreAll().then((told) => (restored = told));
    expect(await until('it is told what went back', () => restored, { timeoutMs: leftMs })).toEqual({
      back: [HOST],
      left: [],
    });
    expect(await machine.values()).toEqual(kernel);
    expect(link.reach).toBeUndefined();
    const removed = link.removeConnections();
    process.kill(loader.pid, 'SIGKILL');
    await removed;
    expect(link.reach).toBeDefined();
  } finally {
    for (const { pid } of processes().filter(isLoader)) process.kill(pid, 'SIGKILL');
    await link.close();
  }
});

test('values go back although the API server never answers the report that is under way', async () => {
  const environment = {
    ...{ KUBECONFIG: kubeconfig(), NODE_NAME: 'n1', POD_NAME: 'agent-1', METRICS_ADDRESS: '127.0.0.1:0' },
    ...{ PROC_ROOT: machine.procRoot, STATE_FOLDER: join(machine.folder, 'state') },
  };
  const told = new AbortController();
  const ended = runAgent({
    ...{ config: readConfig(agentConfig, environment), environment, version: 'test' },
    ...{ log: createLog({ level: 'silent', base: {} }), signal: told.signal },
  });
  try {
    await until('the node has the values', async () => (await machine.values()).timeSeconds === 30, {
      timeoutMs: startMs,
    });
    expect(await machine.values()).toEqual(wanted);
    await until('a report is under way', () => server.asked.some(({ method }) => method === 'PATCH'));
    objects.daemonsets = [];
    told.abort();
    const isBack = async () => (await machine.values()).timeSeconds === kernel.timeSeconds;
    await until('the values are as they were found', isBack, { timeoutMs: leftMs });
    expect(await machine.values()).toEqual(kernel);
  } finally {
    told.abort();
    await server.close();
    await ended;
  }
}, 240_000);
