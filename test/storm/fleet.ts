/**
 * Runs beside the API server: fills it, plays the agents of all nodes, and makes churn. Takes the size as its argument, says what it did
 * in lines of JSON, and is told to make churn by such lines: `{"steps": 300, "perSecond": 50}`.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { AGENT_NAME } from '../../src/api/group.ts';
import { ApiClient } from '../../src/kube/client.ts';
import { inCluster, openConnection } from '../../src/kube/connection.ts';
import { createLog } from '../../src/ops/log.ts';
import { control } from '../cluster/addresses.ts';
import { each } from '../bench/api.ts';
import type { Order } from './churn.ts';
import { Churn } from './churn.ts';
import type { Size } from './crowd.ts';
import {
  agentName,
  agentPod,
  namespaceObject,
  nodeName,
  nodeObject,
  platformPolicy,
  podPlan,
  resourceOf,
  storedPod,
  teamName,
  teamPolicy,
} from './crowd.ts';
import { store } from './etcd.ts';
import { PlayedAgent } from './played-agent.ts';
import { SharedEar } from './shared-ear.ts';

interface Told extends Size {
  /** Agents with a connection, a token and watches of their own; the others share one ear. */
  readonly full: number;
}

const size = JSON.parse(process.argv[2] ?? '') as Told;
const log = createLog({ level: process.env.LOG_LEVEL === 'debug' ? 'info' : 'fatal', base: {} });
const client = new ApiClient(await openConnection(process.env), { userAgent: 'storm' });
const life = new AbortController();
const say = (is: string, rest: object = {}) => process.stdout.write(`${JSON.stringify({ is, ...rest })}\n`);
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };

function* map<T>(count: number, make: (index: number) => T): Generator<T> {
  for (let index = 0; index < count; index += 1) yield make(index);
}

async function fill(): Promise<void> {
  await each(numbers(size.teams), 8, async (index) => {
    const namespace = teamName(index);
    await client.create(resourceOf.namespaces, namespaceObject(namespace));
    await client.create({ ...resourceOf.serviceaccounts, namespace }, account);
  });
  const daemonSets = { group: 'apps', version: 'v1', plural: 'daemonsets', namespace: AGENT_NAME };
  const daemonSet = await client.get({ ...daemonSets, name: AGENT_NAME });
  await store(map(size.nodes, nodeObject));
  await store(map(size.nodes, (index) => agentPod(index, daemonSet.metadata.uid)));
  await store(map(size.pods, (index) => storedPod(podPlan(index, size))));
  say('filled');
  await each(numbers(size.clusterPolicies), 8, (index) =>
    client.create(resourceOf.clusterkeepalivepolicies, platformPolicy(index)),
  );
  await each(numbers(size.teams), 8, (index) =>
    client.create({ ...resourceOf.keepalivepolicies, namespace: teamName(index) }, teamPolicy(index)),
  );
  say('declared');
}

const ca = readFileSync(join(dirname(process.env.KUBECONFIG ?? ''), 'ca.crt'));
const folder = mkdtempSync('/run/storm-');

/** With a token of its own pod, as its kubelet would have asked for it: the API server lets it write of its own node alone. */
async function fullAgent(index: number): Promise<PlayedAgent> {
  const name = agentName(index);
  const pod = await client.get({ ...resourceOf.pods, namespace: AGENT_NAME, name });
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name, uid: pod.metadata.uid };
  const { status } = await client.create<{ status: { token: string } }>(
    { ...resourceOf.serviceaccounts, namespace: AGENT_NAME, name: AGENT_NAME, subresource: 'token' },
    {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {} },
      spec: { boundObjectRef, expirationSeconds: 7200 },
    },
  );
  const root = join(folder, name);
  mkdirSync(root);
  writeFileSync(join(root, 'token'), status.token);
  writeFileSync(join(root, 'ca.crt'), ca);
  const environment = { KUBERNETES_SERVICE_HOST: control.v4, KUBERNETES_SERVICE_PORT: '6443' };
  const itsOwn = new ApiClient(inCluster(environment, root), { userAgent: `${AGENT_NAME}/played` });
  const agent = new PlayedAgent({ client: itsOwn, log, node: nodeName(index) });
  await agent.watch(itsOwn, log, name, life.signal);
  return agent;
}

const ear = new SharedEar(client, log);
const agents: PlayedAgent[] = [];

async function play(): Promise<void> {
  await each(numbers(Math.min(size.full, size.nodes)), 4, async (index) => {
    agents.push(await fullAgent(index));
  });
  for (const index of numbers(size.nodes).slice(size.full)) ear.add(nodeName(index));
  if (size.nodes > size.full) await ear.listen(life.signal);
  agents.push(...ear.agents);
  say('playing', { full: size.full, shared: size.nodes - size.full });
}

async function tell(): Promise<void> {
  while (!agents.every(({ reporter }) => reporter.hasSpoken)) await delay(500);
  say('told');
}

/** As the agents' setting has it: each node counts once a minute, one after the other. */
const countMs = 60_000;
let turn = 0;
let counting: NodeJS.Timeout | undefined;
const churn = new Churn(client, size);

function count(): void {
  const [startedAt, first] = [performance.now(), turn];
  counting ??= setInterval(() => {
    // Timers of a process that is busy come too late, and counts would be lost.
    const due = first + Math.floor(((performance.now() - startedAt) / countMs) * agents.length);
    while (turn < due) agents[turn++ % agents.length]?.counted();
  }, 10);
}

async function obey({ leastSeconds = 0, countsOn = false, ...order }: Order): Promise<void> {
  count();
  const [{ failures }] = await Promise.all([churn.run(order), delay(leastSeconds * 1000)]);
  if (!countsOn) {
    clearInterval(counting);
    counting = undefined;
  }
  say('calm', { failures, longestTurnMs: ear.takeLongestTurnMs() });
}

const orders = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
await fill();
// Whoever counts what agents cost from their first moment on says when that is.
await orders.next();
await play();
void tell();
for await (const line of orders) await obey(JSON.parse(line) as Order);
process.exit(0);
