import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';

import { runOrThrow } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';
import { platformTarget, teamTarget } from '../storm/crowd.ts';
import { BadDay } from '../storm/bad-day.ts';
import { Stage } from '../storm/stage.ts';

// A machine with little to spare takes a minute for each day.
jest.setTimeout(1_200_000);

const size = { nodes: 200, pods: 6_000, clusterPolicies: 20, teams: 40, full: 8 };
const controller = 'system:serviceaccount:keepalive-system:keepalive-controller';
const patienceMs = 180_000;
let stage: Stage;
let day: BadDay;

beforeAll(async () => {
  // What the stage runs is what was built last.
  await runOrThrow([process.execPath, join(repository, 'scripts/build.ts')], { cwd: repository });
  stage = await Stage.up('long-bad-days', size);
  day = new BadDay(stage.cluster);
  stage.startController();
  await stage.untilRight(patienceMs);
});
afterAll(() => stage.down());

/**
 * Pods come and go meanwhile. Policies are changed before the worst comes, one of which selects every pod: after it, that would make good
 * whatever was lost.
 */
async function storm(meanwhile: () => Promise<unknown>, steps = 300): Promise<void> {
  const churning = stage.storm({ steps, perSecond: 30 });
  await stage.edit(platformTarget(4), 100 + (turn += 1));
  await stage.edit(teamTarget(3), 100 + turn);
  await meanwhile();
  await churning;
}
let turn = 0;

describe('in a storm every status is what a plain count gives once it is over,', () => {
  test('when the API server is killed', async () => {
    await storm(() => day.restarted());
    await stage.untilRight(patienceMs);
  });

  test('when no watch can go on', async () => {
    await storm(() => day.forgotten());
    await stage.untilRight(patienceMs);
  });

  test('when etcd takes 100 ms for a write', async () => {
    await day.slow(async () => {
      await storm(() => stage.relabel(1));
    });
    await stage.untilRight(patienceMs);
  });

  test('when the API server has no room for the controller for a minute, which does not insist', async () => {
    const seconds = 60;
    const refused = await day.refused(controller, async () => {
      await storm(() => new Promise((resolve) => setTimeout(resolve, seconds * 1000)));
    });
    expect(refused).toBeGreaterThan(0);
    expect(refused / seconds).toBeLessThan(10);
    await stage.untilRight(patienceMs);
  });

  test('when the leader is killed, and another follows', async () => {
    stage.startController();
    await storm(() => stage.stopController('SIGKILL'));
    await stage.untilRight(patienceMs);
  });
});

test('ten such days in a row leave nothing in the memory of the controller', async () => {
  const heaps: number[] = [];
  const started = stage.starts;
  for (let round = 0; round < 10; round += 1) {
    await storm(() => (round % 2 === 0 ? day.forgotten() : day.restarted()), 60);
    heaps.push((await stage.probe({ collected: true })).heap);
  }
  process.stderr.write(
    `heap after each, MiB: ${heaps.map((heap) => (heap / 2 ** 20).toFixed(1)).join(' ')}\n`,
  );
  await stage.untilRight(patienceMs);
  // It is one process that lived through all of them.
  expect(stage.starts).toBe(started);
  const [, second = 0] = heaps;
  expect(heaps.at(-1) ?? 0).toBeLessThan(second * 1.1);
});
