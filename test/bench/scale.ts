import { join } from 'node:path';

import { runOrThrow } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';
import type { Size } from '../storm/crowd.ts';
import { platformTarget, teamTarget } from '../storm/crowd.ts';
import type { Probe } from '../storm/stage.ts';
import { heapMiB, Stage } from '../storm/stage.ts';
import { measureInformer } from './controller.ts';
import type { Bench, BenchOptions, Result, Row } from './result.ts';
import { percentile, table } from './result.ts';
import type { Counted } from './scale-figures.ts';
import { countedBy, mib, rates, totals, within } from './scale-figures.ts';
import { OutOfHeap, edited, patienceMs, podMade, timesOf } from './scale-moments.ts';

/** As many agents have watches of their own; one process takes no more. */
const fullAgents = 50;
const podsPerSecond = 50;
/** As many pods as come in this time at that rate; a slow API server is given no more than the longer one. */
const stormSeconds = 40;
const longestStormSeconds = 240;
/** So that each policy has its turn, once a minute at most, and again. */
const quietSeconds = 120;
/** What follows news so soon is written as a part of it, and not as connections that come and go. */
const settleSeconds = 35;
/** Changes that are timed. */
const atOnce = 16;

/** The whole controller with its API server at the size of a large cluster, quiet and in a storm. */
export const scale: Bench = async (say, options) => {
  const size = sizeOf(options);
  await runOrThrow([process.execPath, join(repository, 'scripts/build.ts')], { cwd: repository });
  say(`${size.nodes} nodes, ${size.pods} pods: filling the API server`);
  let filled: Counted | undefined;
  const stage = await Stage.up('bench-scale', size, async (cluster) => {
    filled = await countedBy(cluster);
    say('agents start, all of them at once');
  });
  try {
    return await measure(stage, { ...size, filled }, say);
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

async function measure(
  stage: Stage,
  size: ReturnType<typeof sizeOf> & { readonly filled: Counted | undefined },
  say: (text: string) => void,
) {
  await stage.untilTold();
  const setting = settingOf(stage, size);
  const all = await countedBy(stage.cluster);
  const filled = size.filled ?? all;
  const toldS = (all.atMs - filled.atMs) / 1000;
  const told = totals(
    `${setting}; from the start of all agents until each has told what it found, ${toldS.toFixed(1)} s`,
    [filled, all],
  );
  sayAll(told, say);
  const due = await stage.due(patienceMs);
  const own = await measureOne(
    stage,
    {
      ...{ what: 'the controller', setting, folder: repository },
      untilStarted: () => stage.statuses.untilAre(due, patienceMs),
      untilCalm: () => stage.untilRight(patienceMs),
    },
    say,
  );
  const folder = process.env.KEEPALIVE_BESIDE;
  const beside =
    folder === undefined ? undefined : await measureBeside(stage, { what: 'beside', setting, folder }, say);
  say("client-node's informer");
  const informer = await measureInformer(stage.cluster, size.pods);
  const parts = [own, ...(beside === undefined ? [] : [beside])];
  return [
    {
      ...{ bench: 'scale', setting: `${setting}; steps in time of the thread` },
      rows: [...parts.flatMap(({ process }) => process), informer],
    },
    {
      ...{ bench: 'scale', setting: `${setting}; how soon statuses are right` },
      rows: parts.flatMap(({ times }) => times),
    },
    ...told,
    ...parts.flatMap(({ causes }) => causes),
  ];
}

/** Which controller is measured, and what is waited for when it has started and when a storm is over. */
interface Party {
  readonly what: string;
  readonly setting: string;
  readonly folder: string;
  readonly untilStarted: () => Promise<void>;
  /** Gives back the moment from which on it was so. */
  readonly untilCalm: () => Promise<number>;
}

interface Part {
  readonly process: readonly Row[];
  readonly times: readonly Row[];
  readonly causes: readonly Result[];
}

/**
 * Another version: its statuses are others, so that no plain count says when they are right. It has read everything when the policy of
 * all, edited when it starts, is Ready; and its heap may not be enough for what it keeps.
 */
async function measureBeside(
  stage: Stage,
  party: Pick<Party, 'what' | 'setting' | 'folder'>,
  say: (text: string) => void,
): Promise<Part> {
  const wide = async (idleTimeoutSeconds: number) => {
    await edited(stage, platformTarget(0), idleTimeoutSeconds);
  };
  const whole = {
    ...party,
    untilStarted: () => wide(110),
    untilCalm: () => wide(120).then(() => performance.now()),
  };
  try {
    return await measureOne(stage, whole, say);
  } catch (error) {
    if (!(error instanceof OutOfHeap)) throw error;
    const what = `${party.what}: it ran out of its heap of ${heapMiB} MiB`;
    return { process: [{ what, figures: {} }], times: [], causes: [] };
  } finally {
    await stage.stopController('SIGKILL');
  }
}

async function measureOne(stage: Stage, party: Party, say: (text: string) => void): Promise<Part> {
  const { what, setting } = party;
  say(`${what} starts`);
  const startedAt = performance.now();
  stage.startController(party.folder);
  await party.untilStarted();
  const rightS = secondsSince(startedAt);
  const started = await stage.probe();
  say(`started after ${rightS.toFixed(1)} s: ${figuresOf(started)}`);
  say('policies are edited while nothing else changes');
  // What was waited for until now is not of it.
  await connections(stage, 0);
  const edits = await timesOf(atOnce, (at) => edited(stage, teamTarget(at + 1), 200 + at));
  const podTimes = await timesOf(atOnce, (at) => podMade(stage, teamTarget(at + atOnce + 1), at));
  const turnMs = await connections(stage, 0);
  await stage.probe();
  say(`edited and counted after ${p50(edits)} and ${p50(podTimes)} s at p50`);
  await connections(stage, settleSeconds);
  say(`${quietSeconds} s in which connections come and go, and nothing else`);
  const quiet = rates(
    `${setting}; ${what}, in ${quietSeconds} s in which only connections change`,
    await within(stage, () => connections(stage, quietSeconds)),
  );
  sayAll(quiet, say);
  const editsMeanwhile = await timesOf(atOnce, (at) => edited(stage, teamTarget(at + 1), 300 + at));
  say(`a policy that is edited meanwhile is Ready after ${p50(editsMeanwhile)} s at p50`);
  say(`a storm of ${podsPerSecond * stormSeconds} pods, or as many as come in ${longestStormSeconds} s`);
  const stormed = rates(
    `${setting}; ${what}, in a storm of ${podsPerSecond} pods a second`,
    await within(stage, () => storm(stage)),
  );
  sayAll(stormed, say);
  const stormy = await stage.probe();
  const calmAt = performance.now();
  const calmS = Math.max(0, (await party.untilCalm()) - calmAt) / 1000;
  say(`calm ${calmS.toFixed(1)} s after it: ${figuresOf(stormy)}`);
  say('a policy that selects everything is edited');
  const wideMs = await edited(stage, platformTarget(0), 100);
  const after = await stage.probe();
  say(`it is Ready after ${p50([wideMs])} s: ${figuresOf(after)}`);
  await party.untilCalm();
  await stage.stopController('SIGTERM');
  return {
    process: processes(what, { started, stormy, after }),
    times: latencies(what, { rightS, calmS, edits, editsMeanwhile, podTimes, wideMs, turnMs }),
    causes: [...quiet, ...stormed],
  };
}

/** They change all the time where programs work, each node tells of it once a minute, and they go on changing until the storm is over. */
const connections = (stage: Stage, leastSeconds: number) =>
  stage.storm({ steps: 0, perSecond: 1, leastSeconds, countsOn: leastSeconds > 0 });

const p50 = (ms: readonly number[]) => (percentile(ms, 50) / 1000).toFixed(1);
const secondsSince = (startedAt: number) => (performance.now() - startedAt) / 1000;
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

/** Pods and connections come and go; meanwhile namespaces get other labels, by which cluster policies select, and nodes as well. */
async function storm(stage: Stage): Promise<void> {
  const over = stage.storm({
    steps: podsPerSecond * stormSeconds,
    perSecond: podsPerSecond,
    atMostSeconds: longestStormSeconds,
  });
  for (let at = 0; at < atOnce; at += 1) {
    await stage.relabel(at);
    await stage.moveNode(at);
  }
  await over;
}

function processes(
  party: string,
  of: { readonly started: Probe; readonly stormy: Probe; readonly after: Probe },
): Row[] {
  const row = (when: string, { rss, heap, peak, longestMs }: Probe): Row => ({
    what: `${party}, ${when}`,
    figures: {
      'RSS MiB': mib(rss),
      'heap MiB': mib(heap),
      'peak RSS MiB': mib(peak),
      'longest step ms': longestMs,
    },
  });
  return [
    row('once it has read everything', of.started),
    row('after the storm', of.stormy),
    row('after a policy of all was edited', of.after),
  ];
}

interface Times {
  readonly rightS: number;
  readonly calmS: number;
  readonly edits: readonly number[];
  /** While connections change. */
  readonly editsMeanwhile: readonly number[];
  /** A real agent has a process of its own, and waits for no other. */
  readonly turnMs: number;
  readonly podTimes: readonly number[];
  readonly wideMs: number;
}

function latencies(
  party: string,
  { rightS, calmS, edits, editsMeanwhile, podTimes, wideMs, turnMs }: Times,
): Row[] {
  const row = (when: string, seconds: readonly number[]): Row => ({
    what: `${party}: ${when}`,
    figures: { 'p50 s': percentile(seconds, 50), 'p99 s': percentile(seconds, 99), n: seconds.length },
  });
  const inSeconds = (times: readonly number[]) => times.map((ms) => ms / 1000);
  return [
    row('from its start', [rightS]),
    row('Ready again, from the edit of a policy', inSeconds(edits)),
    row('of that, a played agent waited for others at most', inSeconds([turnMs])),
    row('Ready again, from the edit of a policy while connections change', inSeconds(editsMeanwhile)),
    row('its pods counted, from a pod that runs', inSeconds(podTimes)),
    row('from the end of the storm', [calmS]),
    row('Ready again, from the edit of the policy of all', inSeconds([wideMs])),
  ];
}
