import { existsSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';

import type { NodeKernel } from '../../src/agent/node-kernel.ts';
import type { Reading } from '../../src/policy/reading.ts';
import type { Place } from '../../src/policy/place.ts';
import { stateOf, withProcess } from '../../src/kernel/process.ts';
import { asking } from '../support/builder.ts';
import type { Machine, Pod } from './machine.ts';
import { numberInside } from './machine.ts';
import { eachWithAgent } from './machine-with-agent.ts';

const kernel = { timeSeconds: 7200, intervalSeconds: 75, probes: 9 };
const wanted = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const asked = asking(90);

let machine: Machine;
let agent: NodeKernel;
eachWithAgent((...each) => ([machine, agent] = each));

const visit = (place: Place): Reading | undefined =>
  agent.visit([{ place, wanted: asked, anew: false, asked: true }], machine.pods)[0];

/** Ends the only process of a pod; where its network is kept, as CRI-O does it, for the machine to open. */
async function pinned({ pid }: Pod): Promise<string> {
  const network = '/run/network';
  const pin = `touch ${network}; mount --bind /proc/${numberInside(pid)}/ns/net ${network}`;
  await machine.host.execOrThrow(['sh', '-ec', pin], { cwd: '/' });
  await machine.end(pid);
  return network;
}

describe('the network of a pod whose last process has ended, which its runtime keeps,', () => {
  test('is not taken for gone by an agent that comes after: the next gives its values back once a container runs', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    const network = await pinned(pod);
    const next = machine.agent();
    next.visit([], machine.pods);
    expect(next.restoreAll()).toMatchObject({ back: [], left: [{ place: pod.place }] });
    next.close();
    const pid = await machine.process(['nsenter', `--net=${network}`], pod.group);
    expect(await machine.values(pid)).toEqual(wanted);
    const last = machine.agent();
    expect(last.restoreAll()).toEqual({ back: [pod.place], left: [] });
    expect(await machine.values(pid)).toEqual(kernel);
    expect(existsSync(machine.ledgerFile)).toBe(false);
    last.close();
  });

  test('is looked after on, whatever news there is of its containers, and gets its own values back', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    const network = await pinned(pod);
    const asks = { place: pod.place, wanted: asked, anew: false, moved: true, asked: true };
    expect(agent.visit([asks], machine.pods)).toMatchObject([{ state: 'read', now: wanted }]);
    expect(agent.networkOf(pod.place)).toBeUndefined();
    agent.lose(pod.place);
    expect(visit(pod.place)).toMatchObject({ state: 'read', now: wanted });
    expect(agent.restoreAll()).toEqual({ back: [pod.place], left: [] });
    const pid = await machine.process(['nsenter', `--net=${network}`], pod.group);
    expect(await machine.values(pid)).toEqual(kernel);
  });

  test('is looked for anew once that process has ended, also before its runtime has waited for it', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    const starter = withProcess('/proc', pod.pid, (one) => one.parent()) ?? NaN;
    process.kill(starter, 'SIGSTOP');
    try {
      await pinned(pod);
      expect(stateOf('/proc', pod.pid)).toBe('Z');
      const asks = { place: pod.place, wanted: asked, anew: false, moved: true, asked: true };
      expect(agent.visit([asks], machine.pods)).toMatchObject([{ state: 'read', doubted: true }]);
    } finally {
      process.kill(starter, 'SIGCONT');
    }
  });

  test('is left for that of its next sandbox, however long that takes to come', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    await pinned(pod);
    const asks = { place: pod.place, wanted: asked, anew: false, moved: true, asked: true };
    expect(agent.visit([asks], machine.pods)).toMatchObject([{ state: 'read', doubted: true }]);
    const next = await machine.pod({ uid: pod.uid });
    const found = visit(pod.place);
    expect(found).toMatchObject({ state: 'read', wrote: wanted });
    expect(found).not.toHaveProperty('doubted');
    expect(await machine.values(next.pid)).toEqual(wanted);
    expect(agent.networkOf(pod.place)).toMatchObject({ pid: Number(numberInside(next.pid)) });
  });
});
