import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { runAgent } from '../../src/agent/agent.ts';
import { agentConfig, readConfig } from '../../src/ops/config.ts';
import { createLog } from '../../src/ops/log.ts';
import { until } from '../cluster/wait.ts';
import type { Answer } from '../support/api-server.ts';
import { FakeApiServer, json, stream } from '../support/api-server.ts';
import { platformSpec } from '../support/builder.ts';
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
