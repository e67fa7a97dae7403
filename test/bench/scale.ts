import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { runOrThrow } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import type { PolicyStatus } from '../../src/api/status.ts';
import type { Size } from '../storm/crowd.ts';
import {
  nodeName,
  platformTarget,
  podObject,
  resourceOf,
  runningStatus,
  teamTarget,
} from '../storm/crowd.ts';
import type { Probe } from '../storm/stage.ts';
import { Stage } from '../storm/stage.ts';
import { measureInformer } from './controller.ts';
import type { Bench, BenchOptions, Result, Row } from './result.ts';
import { percentile, table } from './result.ts';
import type { Counted } from './scale-figures.ts';
import { countedBy, mib, perSecond } from './scale-figures.ts';

/** As many agents have watches of their own; one process takes no more. */
const fullAgents = 50;
const podsPerSecond = 50;
/** As many pods as come in this time at that rate; a slow API server is given no more than the longer one. */
const stormSeconds = 40;
const longestStormSeconds = 240;
const quietSeconds = 60;
/** Changes that are timed. */
const atOnce = 16;
const patienceMs = 1_800_000;

/** The whole controller with its API server at the size of a large cluster, quiet and in a storm. */
export const scale: Bench = async (say, options) => {
  const size = sizeOf(options);
  await runOrThrow([process.execPath, join(repository, 'scripts/build.ts')], { cwd: repository });
  say(`${size.nodes} nodes, ${size.pods} pods: filling the API server`);
  const stage = await Stage.up('bench-scale', size);
  try {
    return await measure(stage, size, say);
  } finally {
    await stage.down();
  }
};

function sizeOf({
  nodes = 500,
  pods = 10_000,
  policies = 120,
}: BenchOptions): Size & { readonly full: number } {
  const clusterPolicies = Math.max(2, Math.round(policies / 11));
  const needed = 2 * atOnce + 1;
  if (policies - clusterPolicies < needed)
    throw new Error(
      `--policies ${policies} is too few: the policies of ${needed} teams are edited or counted`,
    );
  return {
    nodes,
    pods,
    clusterPolicies,
    teams: policies - clusterPolicies,
    full: Math.min(nodes, fullAgents),
  };
}

async function measure(stage: Stage, size: ReturnType<typeof sizeOf>, say: (text: string) => void) {
  say('agents tell for the first time');
  await stage.untilTold();
  const due = await stage.due(patienceMs);
  say('the controller starts');
  const startedAt = performance.now();
  stage.startController();
  await stage.untilAre(due, patienceMs);
  const rightS = (performance.now() - startedAt) / 1000;
  const started = await stage.probe();
  say(`all statuses are right after ${rightS.toFixed(1)} s: ${figuresOf(started)}`);
  say(`${quietSeconds} s in which nothing changes`);
  const setting = settingOf(stage, size);
  const quiet = causes(
    `${setting}; in ${quietSeconds} s in which nothing changes`,
    await within(stage, () => delay(quietSeconds * 1000)),
  );
  sayAll(quiet, say);
  say('policies are edited');
  const edits = await timesOf(atOnce, (at) => edited(stage, teamTarget(at + 1), 200 + at));
  const podTimes = await timesOf(atOnce, (at) => podMade(stage, at));
  await stage.probe();
  say(`edited and counted after ${seconds(edits)} and ${seconds(podTimes)} s at p50`);
  say(`a storm of ${podsPerSecond * stormSeconds} pods, or as many as come in ${longestStormSeconds} s`);
  const order = {
    steps: podsPerSecond * stormSeconds,
    perSecond: podsPerSecond,
    atMostSeconds: longestStormSeconds,
  };
  const storm = causes(
    `${setting}; in a storm of ${podsPerSecond} pods a second`,
    await within(stage, () => stage.storm(order)),
  );
  sayAll(storm, say);
  const stormy = await stage.probe();
  const calmAt = performance.now();
  await stage.untilRight(patienceMs);
  const againS = (performance.now() - calmAt) / 1000;
  say(`all are right ${againS.toFixed(1)} s after it: ${figuresOf(stormy)}`);
  say('a policy that selects everything is edited');
  const wideMs = await edited(stage, platformTarget(0), 100);
  await stage.untilRight(patienceMs);
  const after = await stage.probe();
  say(`it is Ready after ${seconds([wideMs])} s: ${figuresOf(after)}`);
  await stage.stopController('SIGTERM');
  say("client-node's informer");
  const informer = await measureInformer(stage.cluster, size.pods);
  return [
    processes(setting, { started, stormy, after, informer }),
    latencies(setting, { rightS, againS, edits, podTimes, wideMs }),
    ...quiet,
    ...storm,
  ];
}

/** What the API server has counted before and after. */
async function within({ cluster }: Stage, time: () => Promise<void>): Promise<readonly [Counted, Counted]> {
  const before = await countedBy(cluster);
  await time();
  return [before, await countedBy(cluster)];
}

const seconds = (ms: readonly number[]) => (percentile(ms, 50) / 1000).toFixed(1);
/** Told as soon as it is known: the whole takes an hour at the largest sizes, where after a storm statuses are written one a second. */
const sayAll = (results: readonly Result[], say: (text: string) => void) => {
  for (const result of results) say(table(result));
};
const figuresOf = ({ rss, heap, longestMs }: Probe) =>
  `${mib(rss).toFixed(0)} MiB, heap ${mib(heap).toFixed(0)}, longest step ${longestMs.toFixed(1)} ms`;

function settingOf(
  { cluster }: Stage,
  { nodes, pods, clusterPolicies, teams, full }: ReturnType<typeof sizeOf>,
): string {
  return (
    `${nodes} nodes, ${pods} pods, ${clusterPolicies} cluster policies and ${teams} teams of one each, Kubernetes ${cluster.kubernetes}; ` +
    `${full} agents with all their watches, of the others ${nodes - full} only what they write`
  );
}

function processes(
  setting: string,
  of: { readonly started: Probe; readonly stormy: Probe; readonly after: Probe; readonly informer: Row },
): Result {
  const row = (what: string, { rss, heap, peak, longestMs }: Probe): Row => ({
    what,
    figures: {
      'RSS MiB': mib(rss),
      'heap MiB': mib(heap),
      'peak RSS MiB': mib(peak),
      'longest step ms': longestMs,
    },
  });
  return {
    ...{ bench: 'scale', setting: `${setting}; the controller, steps in time of its thread` },
    rows: [
      row('all statuses are right', of.started),
      row('after the storm', of.stormy),
      row('after a policy of all was edited', of.after),
      of.informer,
    ],
  };
}

interface Times {
  readonly rightS: number;
  readonly againS: number;
  readonly edits: readonly number[];
  readonly podTimes: readonly number[];
  readonly wideMs: number;
}

function latencies(setting: string, { rightS, againS, edits, podTimes, wideMs }: Times): Result {
  const row = (what: string, seconds: readonly number[]): Row => ({
    what,
    figures: { 'p50 s': percentile(seconds, 50), 'p99 s': percentile(seconds, 99), n: seconds.length },
  });
  return {
    ...{ bench: 'scale', setting: `${setting}; how soon statuses are right` },
    rows: [
      row('all of them, from the start of the controller', [rightS]),
      row('all of them, from the end of the storm', [againS]),
      row(
        'Ready again, from the edit of a policy',
        edits.map((ms) => ms / 1000),
      ),
      row(
        'its pods counted, from a pod that runs',
        podTimes.map((ms) => ms / 1000),
      ),
      row('Ready again, from the edit of the policy of all', [wideMs / 1000]),
    ],
  };
}

function causes(setting: string, pair: readonly [Counted, Counted]): Result[] {
  const [before, after] = pair;
  const rows = (of: 'requests' | 'events') =>
    perSecond(of, pair)
      .slice(0, 12)
      .map(([what, { times, bytes }]) => ({
        what,
        figures: { 'a second': times, 'KiB a second': bytes / 1024 },
      }));
  const cores = ((after.cpuS - before.cpuS) * 1000) / (after.atMs - before.atMs);
  const server = { what: 'API server', figures: { '% of a core': cores * 100, 'RSS MiB': mib(after.rss) } };
  return [
    { bench: 'scale', setting: `${setting}: requests`, rows: [...rows('requests'), server] },
    { bench: 'scale', setting: `${setting}: events of watches`, rows: rows('events') },
  ];
}

/** All at once, each of its own: what they wait for is mostly the turn of agents. */
function timesOf(count: number, once: (at: number) => Promise<number>): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => once(at)));
}

type Policy = ReturnType<typeof teamTarget> | ReturnType<typeof platformTarget>;

/** Milliseconds from the write of a spec to a status that speaks of it, and is Ready. */
async function edited({ client }: Stage, policy: Policy, idleTimeoutSeconds: number): Promise<number> {
  const startedAt = performance.now();
  const path = [{ name: 'nat', type: 'NAT', idleTimeoutSeconds }];
  const { metadata } = await client.patch(policy, { spec: { path } });
  await until(
    `${policy.name} is Ready again`,
    async () => {
      const { status = {} } = await client.get<{ status?: PolicyStatus }>(policy);
      const isReady = (status.conditions ?? []).some(
        ({ type, status: is }) => type === 'Ready' && is === 'True',
      );
      return isReady && status.observedGeneration === metadata.generation;
    },
    { timeoutMs: patienceMs, everyMs: 20 },
  );
  return performance.now() - startedAt;
}

/** Milliseconds from a pod that runs to a status that counts it. */
async function podMade({ client }: Stage, at: number): Promise<number> {
  const policy = teamTarget(at + atOnce + 1);
  const { namespace } = policy;
  const selected = async () =>
    (await client.get<{ status?: PolicyStatus }>(policy)).status?.pods?.selected ?? 0;
  const before = await selected();
  const inSpace = { ...resourceOf.pods, namespace };
  const plan = { index: at, name: `workload-${at}-probe`, namespace, node: nodeName(at) };
  const { metadata } = await client.create(inSpace, podObject(plan));
  const startedAt = performance.now();
  const target = { ...inSpace, name: plan.name, uid: metadata.uid };
  await client.replaceStatus(target, runningStatus, { fieldManager: 'bench' });
  const isCounted = async () => !isDeepStrictEqual(await selected(), before);
  await until('the pod is counted', isCounted, { timeoutMs: patienceMs, everyMs: 20 });
  return performance.now() - startedAt;
}
