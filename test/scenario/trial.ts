/** Plays the matrix without the policy and with it. */
import type { PolicyStatus } from '../../src/api/status.ts';
import { all } from '../cluster/wait.ts';
import type { Cell } from './cell.ts';
import { matrix } from './cell.ts';
import { Clients } from './client.ts';
import type { Phase, Result, WayResult } from './result.ts';
import { isAlive, tally } from './result.ts';
import type { Course, Scenario, Way } from './scenario.ts';
import type { Stage } from './stage.ts';

type Say = (text: string) => void;

/** One connection of the trial, tried once without the policy and once with it. */
interface Attempt {
  readonly key: string;
  readonly way: Way;
  readonly cell: Cell;
}

const runningPods = [
  { name: 'running', network: 'pod' },
  { name: 'running-host', network: 'host' },
] as const;

export async function tryScenario(stage: Stage, scenario: Scenario, say: Say): Promise<Result> {
  const course = await scenario.build(stage);
  const attempts = attemptsOf(course);
  await stage.startPods(runningPods, course.image);
  const run = new Run(stage, course, attempts);
  say(`without a policy: ${attempts.length} connections, then silence`);
  const nothing = () => Promise.resolve();
  const without = await run.play('without', { policy: nothing, newcomers: nothing });
  report(without, say);
  say('the same with a policy');
  // What it says beforehand counts, not what it says of connections that are lost already.
  let status: PolicyStatus = {};
  const withPolicy = await run.play('with', {
    policy: async () => {
      status = await stage.applyPolicy(course.path);
      await stage.untilRepaired(attempts.filter(({ cell }) => cell.opened === 'before').length);
      say('the policy is Ready; silence');
    },
    newcomers: () => stage.untilLive(),
  });
  report(withPolicy, say);
  return {
    scenario: scenario.name,
    story: scenario.story,
    path: course.path,
    effective: status.effective,
    findings: status.findings ?? [],
    checks: course.expects?.(status) ?? [],
    ways: course.ways.map((way) => resultOf(way, attempts, { without, with: withPolicy })),
    advice: scenario.advice,
  };
}

function attemptsOf({ ways }: Course): Attempt[] {
  const each = (way: Way) => Array.from({ length: way.connections ?? 3 }, () => way);
  return ways
    .flatMap((way) => (way.cells ?? matrix).flatMap((cell) => each(way).map(() => ({ way, cell }))))
    .map((attempt, at) => ({ ...attempt, key: `c${at}` }));
}

/** What has to be so before clients go on. */
interface Awaited {
  readonly policy: () => Promise<void>;
  /** Of the pods that start once the policy is there. */
  readonly newcomers: () => Promise<void>;
}

class Run {
  readonly #stage: Stage;
  readonly #course: Course;
  readonly #attempts: readonly Attempt[];
  readonly #started: Clients[] = [];

  constructor(stage: Stage, course: Course, attempts: readonly Attempt[]) {
    this.#stage = stage;
    this.#course = course;
    this.#attempts = attempts;
  }

  /** Everybody's last words. What was opened before the policy is kept busy until the policy is there. */
  async play(phase: Phase, { policy, newcomers }: Awaited): Promise<Map<string, string>> {
    try {
      const before = await this.#open(runningPods, 'running', 'before');
      await policy();
      for (const clients of before) clients.silence();
      const newPods = runningPods.map(({ name, network }) => ({
        name: `${name.replace('running', 'new')}-${phase}`,
        network,
      }));
      await this.#stage.startPods(newPods, this.#course.image);
      await newcomers();
      const after = await Promise.all([
        this.#open(newPods, 'new', 'after'),
        this.#open(runningPods, 'running', 'after'),
      ]);
      const words = await Promise.all([...before, ...after.flat()].map((clients) => clients.lastWords()));
      return new Map(words.flatMap((one) => [...one]));
    } finally {
      for (const clients of this.#started.splice(0)) clients.stop();
    }
  }

  /** Those opened after the policy are silent from their first words on. */
  async #open(
    pods: readonly { name: string; network: Cell['network'] }[],
    pod: Cell['pod'],
    opened: Cell['opened'],
  ): Promise<Clients[]> {
    const groups = pods.flatMap(({ name, network }) => {
      const own = this.#attempts.filter(
        ({ cell }) => cell.pod === pod && cell.opened === opened && cell.network === network,
      );
      const commands = new Map(own.map(({ key, way, cell }) => [key, way.client(cell)]));
      return own.length === 0
        ? []
        : [Clients.start(this.#stage, name, { commands, chatty: opened === 'before' })];
    });
    this.#started.push(...groups);
    await all(groups.map((clients) => clients.connected()));
    return groups;
  }
}

function resultOf(
  way: Way,
  attempts: readonly Attempt[],
  words: Record<Phase, ReadonlyMap<string, string>>,
): WayResult {
  const said = (phase: Phase, key: string) => words[phase].get(key) ?? 'nothing';
  return {
    name: way.name,
    expected: { without: way.without, with: way.with },
    connections: attempts
      .filter((attempt) => attempt.way === way)
      .map(({ key, cell }) => ({ cell, without: said('without', key), with: said('with', key) })),
  };
}

function report(words: ReadonlyMap<string, string>, say: Say): void {
  const all = [...words.values()];
  const alive = all.filter(isAlive).length;
  say(`${all.length - alive} of ${all.length} died, ${alive} lived`);
  for (const [one, count] of tally(all)) say(`  ${count} × ${one}`);
}
