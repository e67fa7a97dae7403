import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

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
import { countedBy, mib, perSecond, sinceStart } from './scale-figures.ts';
import { OutOfHeap, edited, patienceMs, podMade, timesOf } from './scale-moments.ts';

/** As many agents have watches of their own; one process takes no more. */
const fullAgents = 50;
const podsPerSecond = 50;
/** As many pods as come in this time at that rate; a slow API server is given no more than the longer one. */
const stormSeconds = 40;
const longestStormSeconds = 240;
const quietSeconds = 60;
/** Changes that are timed. */
const atOnce = 16;

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
  const setting = settingOf(stage, size);
  const told = totals(`${setting}; until each agent has told what it found`, await countedBy(stage.cluster));
  sayAll(told, say);
  const due = await stage.due(patienceMs);
  const own = await measureOne(
    stage,
    {
      ...{ what: 'the controller', setting, folder: repository },
      untilStarted: () => stage.untilAre(due, patienceMs),
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
  readonly untilCalm: () => Promise<void>;
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
  const whole = { ...party, untilStarted: () => wide(110), untilCalm: () => wide(120) };
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
  say(`${quietSeconds} s in which nothing changes`);
  const quiet = causes(
    `${setting}; ${what}, in ${quietSeconds} s in which nothing changes`,
    await within(stage, () => delay(quietSeconds * 1000)),
  );
  sayAll(quiet, say);
  say('policies are edited');
  const edits = await timesOf(atOnce, (at) => edited(stage, teamTarget(at + 1), 200 + at));
  const podTimes = await timesOf(atOnce, (at) => podMade(stage, teamTarget(at + atOnce + 1), at));
  await stage.probe();
  say(`edited and counted after ${p50(edits)} and ${p50(podTimes)} s at p50`);
  say(`a storm of ${podsPerSecond * stormSeconds} pods, or as many as come in ${longestStormSeconds} s`);
  const stormed = causes(
    `${setting}; ${what}, in a storm of ${podsPerSecond} pods a second`,
    await within(stage, () => storm(stage)),
  );
  sayAll(stormed, say);
  const stormy = await stage.probe();
  const calmAt = performance.now();
  await party.untilCalm();
  const calmS = secondsSince(calmAt);
  say(`calm ${calmS.toFixed(1)} s after it: ${figuresOf(stormy)}`);
  say('a policy that selects everything is edited');
  const wideMs = await edited(stage, platformTarget(0), 100);
  const after = await stage.probe();
  say(`it is Ready after ${p50([wideMs])} s: ${figuresOf(after)}`);
  await party.untilCalm();
  await stage.stopController('SIGTERM');
  return {
    process: processes(what, { started, stormy, after }),
    times: latencies(what, { rightS, calmS, edits, podTimes, wideMs }),
    causes: [...quiet, ...stormed],
  };
}

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
  readonly podTimes: readonly number[];
  readonly wideMs: number;
}

function latencies(party: string, { rightS, calmS, edits, podTimes, wideMs }: Times): Row[] {
  const row = (when: string, seconds: readonly number[]): Row => ({
    what: `${party}: ${when}`,
    figures: { 'p50 s': percentile(seconds, 50), 'p99 s': percentile(seconds, 99), n: seconds.length },
  });
  const inSeconds = (times: readonly number[]) => times.map((ms) => ms / 1000);
  return [
    row('from its start', [rightS]),
    row('Ready again, from the edit of a policy', inSeconds(edits)),
    row('its pods counted, from a pod that runs', inSeconds(podTimes)),
    row('from the end of the storm', [calmS]),
    row('Ready again, from the edit of the policy of all', inSeconds([wideMs])),
  ];
}

/** What the API server has counted before and after. */
async function within({ cluster }: Stage, time: () => Promise<void>): Promise<readonly [Counted, Counted]> {
  const before = await countedBy(cluster);
  await time();
  return [before, await countedBy(cluster)];
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

/** Of the start of all agents; objects that were made for it are there as well. */
function totals(setting: string, counted: Counted): Result[] {
  return (['requests', 'events'] as const).map((of) => ({
    ...{ bench: 'scale', setting: `${setting}: ${of === 'events' ? 'events of watches' : of}` },
    rows: sinceStart(of, counted)
      .slice(0, 12)
      .map(([what, { times, bytes }]) => ({ what, figures: { times, MiB: mib(bytes) } })),
  }));
}
