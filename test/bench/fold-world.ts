/**
 * One controller's head without its cluster, of the checkout in the first argument: what it reads is made up, and what it decides
 * is not written. `node fold-world.ts FOLDER NODES PODS CLUSTER-POLICIES TEAMS`; prints figures as JSON.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import type * as activations from '../../src/controller/activation.ts';
import type * as lookings from '../../src/controller/look.ts';
import type * as records from '../../src/controller/record.ts';
import type * as trigger from '../../src/controller/trigger.ts';
import type * as worlds from '../../src/controller/world.ts';
import type { ApiClient } from '../../src/kube/client.ts';
import { systemClock } from '../../src/kube/clock.ts';
import type * as queues from '../../src/kube/queue.ts';
import { keyOf, type KubeObject } from '../../src/kube/resource.ts';
import type { Identified, Store } from '../../src/kube/store.ts';
import type * as policyRecords from '../../src/policy/record.ts';
import { cpuMs, LoopProbe } from './loop-probe.ts';

const [, , root = '', ...sizes] = process.argv;
const [nodes = 0, pods = 0, clusterPolicies = 0, teams = 0] = sizes.map(Number);
const load = (file: string): Promise<unknown> => import(join(root, 'src', file));
const { World } = (await load('controller/world.ts')) as typeof worlds;
const { Triggers } = (await load('controller/trigger.ts')) as typeof trigger;
const { podRecord } = (await load('controller/record.ts')) as typeof records;
const { policyRecord, labelledRecord } = (await load('policy/record.ts')) as typeof policyRecords;
const { Activations } = (await load('controller/activation.ts')) as typeof activations;
const { Looks } = (await load('controller/look.ts')) as typeof lookings;
const { WorkQueue } = (await load('kube/queue.ts')) as typeof queues;

const home = 'keepalive-agent';
const world = new World(home);
const woken = new Set<string>();
const queue = { add: (key: string) => void woken.add(key), addAfter: (key: string) => void woken.add(key) };
const triggers = new Triggers(world, queue);

/** As they come over the wire: no text is shared. */
const fresh = (object: unknown) => JSON.parse(JSON.stringify(object)) as KubeObject;
const nodeOf = (index: number) => `node-${index % nodes}`;
const spaceOf = (index: number) => `team-${index % teams}`;
const meta = (name: string, rest: object = {}) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  ...rest,
});

const podObject = (index: number, phase = 'Running') => {
  const workload = `workload-${Math.floor(index / teams / 10)}`;
  const labels = { app: workload, 'pod-template-hash': '6d4cf56db6', tier: 'backend', team: spaceOf(index) };
  return fresh({
    metadata: meta(`${workload}-6d4cf56db6-${index}`, {
      ...{ namespace: spaceOf(index), labels, creationTimestamp: '2026-05-04T10:00:00Z', generation: 1 },
    }),
    spec: { nodeName: nodeOf(index) },
    status: { phase },
  });
};
const policyObject = (name: string, namespace: string | undefined, seconds: number, mode = 'Audit') =>
  fresh({
    metadata: meta(name, { ...(namespace === undefined ? {} : { namespace }), generation: 1 }),
    spec: {
      podSelector: {},
      path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: seconds }],
      mode,
    },
  });
const clusterName = (index: number) => `platform-${index}`;

/** An agent writes 256 KiB at most, which hold so many findings. */
const findingsPerReport = 900;
const listed = Math.min(20, Math.floor(findingsPerReport / clusterPolicies));

function reportObject(node: number, connections = 5): KubeObject {
  const here = Array.from(
    { length: Math.floor(pods / nodes) },
    (_, at) => podObject(at * nodes + node).metadata,
  );
  const message =
    'the kernel holds 7200/75/9, which is not enough behind 350 s: mode Enforce would set 116/39/6';
  const said = (kind: string, name: string, namespace?: string) => {
    const own = here.filter((pod) => namespace === undefined || pod.namespace === namespace);
    const findings = own.slice(0, listed).map((pod) => ({
      ...{ reason: 'NotEnforced', pod: pod.name, node: nodeOf(node), message },
      ...(namespace === undefined ? { namespace: pod.namespace } : {}),
    }));
    return {
      ...{ kind, name, ...(namespace === undefined ? {} : { namespace }), observedGeneration: 1 },
      ...{ selected: own.length, live: 0, findings, findingsTotal: own.length },
      connections: { established: connections, protected: 0, exposed: connections, unknown: 0 },
    };
  };
  const spaces = [...new Set(here.map(({ namespace }) => namespace ?? ''))];
  const policies = [
    ...Array.from({ length: clusterPolicies }, (_, at) => said('ClusterKeepalivePolicy', clusterName(at))),
    ...spaces.map((space) => said('KeepalivePolicy', 'own', space)),
  ];
  return fresh({
    metadata: { ...meta(nodeOf(node)), resourceVersion: String(connections) },
    status: { policies },
  });
}
const report = (object: KubeObject) => world.reportRecord(object);

type Resource = 'pods' | 'namespaces' | 'nodekeepalives' | 'keepalivepolicies' | 'clusterkeepalivepolicies';
const storeOf = (resource: Resource) => world[resource] as unknown as Store<Identified, string>;

const probe = new LoopProbe();

/** As a reflector has it. */
const sliceMs = 5;

interface Kind {
  readonly make: (index: number) => KubeObject;
  /** What is kept of it. */
  readonly trim: (object: KubeObject) => Identified;
  /** So many come in one turn, as what the network brings at once holds some dozen pods, and no whole report. */
  readonly perTurn?: number;
}

/** A whole list, as a reflector hands it over: bit by bit, or in one step where the checkout does so. */
async function list(resource: Resource, count: number, { make, trim, perTurn = 20 }: Kind) {
  const staged = storeOf(resource).replacement();
  for (let from = 0; from < count; from += perTurn) {
    const indices = Array.from({ length: Math.min(perTurn, count - from) }, (_, at) => from + at);
    const objects = await probe.apart(() => indices.map(make));
    for (const object of objects) staged.set(keyOf(object.metadata), trim(object));
    await setImmediate();
  }
  let changes: Iterator<unknown, unknown> | undefined;
  const some = () => {
    const all = changes ?? (staged.commit() as Iterable<unknown>);
    // Before, it was taken over at once: as a map, or a list of keys.
    const isSliced = !(all instanceof Map || Array.isArray(all));
    changes ??= (all as Iterable<unknown, unknown>)[Symbol.iterator]();
    return tell(resource, changes, isSliced ? performance.now() + sliceMs : Infinity);
  };
  while (!some()) await setImmediate();
  await setImmediate();
}

/** True where all is told. */
function tell(resource: Resource, changes: Iterator<unknown, unknown>, untilMs: number): boolean {
  do {
    const next = changes.next();
    if (next.done === true) return true;
    const key = Array.isArray(next.value) ? (next.value as readonly unknown[])[0] : next.value;
    if (typeof key === 'string') triggers.changed(resource, key, undefined);
  } while (performance.now() < untilMs);
  return false;
}

/** No words are at hand that were forgotten. */
const client = {
  time: { now: () => new Date() },
  listPage: () => Promise.resolve({ metadata: {}, items: [] }),
} as unknown as ApiClient;
const looks = new Looks({
  ...{ client, world, activations: new Activations(systemClock) },
  evidenceOf: () => ({ kind: 'seen', others: false }),
  unheard: () => [],
});

async function look(key: string): Promise<number> {
  const from = cpuMs();
  await looks.at(key);
  const ms = cpuMs() - from;
  await setImmediate();
  return ms;
}

/** As the controller does, at most so many at the same time unless told otherwise. */
const concurrency = 4;
const silent = { warn: () => undefined } as unknown as queues.QueueOptions['log'];

async function lookAtAll(): Promise<number> {
  const from = cpuMs();
  const whole = Promise.withResolvers<void>();
  const work = async (key: string) => {
    await looks.at(key);
    woken.delete(key);
    if (woken.size === 0) whole.resolve();
    return undefined;
  };
  const working = new WorkQueue({ work, concurrency, log: silent });
  for (const key of woken) working.add(key);
  working.start();
  if (woken.size > 0) await whole.promise;
  await working.stop();
  return cpuMs() - from;
}

async function change(
  resource: Resource,
  make: () => KubeObject,
  trim: (object: KubeObject) => Identified,
): Promise<number> {
  const object = await probe.apart(make);
  const value = trim(object);
  const key = keyOf(object.metadata);
  const store = storeOf(resource);
  const before = store.get(key);
  const from = cpuMs();
  if (store.set(key, value)) triggers.changed(resource, key, before);
  const ms = cpuMs() - from;
  await setImmediate();
  return ms;
}

async function many(count: number, make: (index: number) => Promise<number>): Promise<number[]> {
  const took: number[] = [];
  for (let index = 0; index < count; index += 1) took.push(await make(index));
  return took;
}

/** The clock of a thread is too coarse for one of them. */
const mean = (took: readonly number[]) => took.reduce((sum, ms) => sum + ms, 0) / took.length;

const memory = () =>
  probe.apart(() => {
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { 'RSS MiB': rss / 2 ** 20, 'heap MiB': (heapUsed + external) / 2 ** 20 };
  });

const agentObject = (index: number) =>
  fresh({
    metadata: meta(`agent-${index}`, {
      namespace: home,
      labels: {
        'app.kubernetes.io/name': 'keepalive-operator',
        'app.kubernetes.io/component': 'agent',
      },
    }),
    spec: { nodeName: nodeOf(index) },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
const trimPod = (object: KubeObject) => podRecord(object, home);
const trimClusterPolicy = (object: KubeObject) => policyRecord('ClusterKeepalivePolicy', object);

probe.start();
const timeouts = [90, 240, 350, 900];
await list('namespaces', teams, {
  make: (at) => fresh({ metadata: meta(spaceOf(at), { labels: { team: spaceOf(at) } }) }),
  trim: labelledRecord,
});
await list('clusterkeepalivepolicies', clusterPolicies, {
  make: (at) => policyObject(clusterName(at), undefined, timeouts[at % 4] ?? 90),
  trim: trimClusterPolicy,
});
await list('keepalivepolicies', teams, {
  make: (at) => policyObject('own', spaceOf(at), 350),
  trim: (object) => policyRecord('KeepalivePolicy', object),
});
await list('pods', pods + nodes, {
  make: (at) => (at < pods ? podObject(at) : agentObject(at - pods)),
  trim: trimPod,
});
await list('nodekeepalives', nodes, { make: (at) => reportObject(at), trim: report, perTurn: 1 });
const readLongestMs = probe.takeLongestMs();
triggers.start();
const firstMs = await lookAtAll();
const firstLongestMs = probe.takeLongestMs();
const first = await memory();

const churn = Math.min(300, pods);
const podMs = await many(churn, (at) =>
  change('pods', () => podObject(at, at % 2 === 0 ? 'Succeeded' : 'Pending'), trimPod),
);
woken.clear();
const reportMs = await many(100, (at) => change('nodekeepalives', () => reportObject(at % nodes, 6), report));
woken.clear();
const lookMs = await many(100, (at) => look(clusterName(at % clusterPolicies)));
const edited = () => {
  // Only so does it concern all others.
  const object = policyObject(clusterName(0), undefined, 60, 'Enforce');
  return { ...object, metadata: { ...object.metadata, generation: 2 } };
};
await change('clusterkeepalivepolicies', edited, trimClusterPolicy);
const editMs = await look(clusterName(0));
const othersMs = await lookAtAll();
const churnLongestMs = probe.takeLongestMs();
const after = await memory();
// Nothing is left to be counted.
for (let at = 0; at < clusterPolicies; at += 1) woken.add(clusterName(at));
probe.takeLongestMs();
await lookAtAll();
const looksLongestMs = probe.takeLongestMs();

process.stdout.write(
  JSON.stringify({
    ...{ 'longest step of reading ms': readLongestMs },
    ...{ 'all decided s': firstMs / 1000, 'longest step of it ms': firstLongestMs },
    ...first,
    ...{ 'heap after churn MiB': after['heap MiB'] },
    ...{ 'pod event ms': mean(podMs), 'report event ms': mean(reportMs), 'look ms': mean(lookMs) },
    ...{ 'policy edited to decided ms': editMs, 'all others looked at after it s': othersMs / 1000 },
    ...{ 'longest step of churn ms': churnLongestMs, 'longest step of looks ms': looksLongestMs },
  }),
);
