import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { NodeConnections } from '../../../../src/agent/connections/node-connections.ts';
import { placeOfPod } from '../../../../src/policy/place.ts';
import { workedOut } from '../../../../src/policy/worked-requirement.ts';
import { behind } from '../../../support/builder.ts';
import { PlayedProgram } from './played-program.ts';

const place = placeOfPod('one');

let procRoot: string;
let opened: PlayedProgram[];
beforeEach(() => {
  procRoot = mkdtempSync(join(tmpdir(), 'node-connections-'));
  mkdirSync(join(procRoot, '1/root'), { recursive: true });
  const groups = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n';
  writeFileSync(join(procRoot, '1/mountinfo'), groups);
  opened = [];
});
afterEach(() => {
  rmSync(procRoot, { recursive: true });
});

/** Of what is loaded one after the other, why it does not count. */
async function begin(...reasons: (string | undefined)[]) {
  const connections = await NodeConnections.open({
    ...{ procRoot, objectFile: 'keepalive.bpf.o', networkOf: () => ({ cookie: 1n, pid: 1 }) },
    open: () => {
      const program = new PlayedProgram(reasons[opened.length]);
      opened.push(program);
      return Promise.resolve(program);
    },
  });
  const follow = () =>
    connections.follow({
      targets: [{ place, wanted: behind(90), timeouts: [90] }],
      ...{ hostPods: new Set(), running: new Set(), pods: new Map(), held: new Set() },
    });
  const takeAway = () => {
    for (const program of opened) program.isWhole = false;
  };
  return { connections, follow, takeAway };
}

test('what may not be seen of the first process is told as that, and neither as missing control groups nor as missing hostPID', async () => {
  rmSync(join(procRoot, '1'), { recursive: true });
  const { means } = (await begin()).connections;
  const why = 'ENOENT at mountinfo of process 1, and ENOENT at ns/pid of process 1';
  expect(means).toEqual({ by: 'ValuesOnly', countedBy: 'Nobody', why });
});

test('a count tells of whom the kernel could not mark all', async () => {
  const { connections, follow } = await begin();
  await follow();
  const atMs = Number(process.hrtime.bigint()) / 1e6;
  for (const program of opened) program.untold = [{ network: 1n, group: 0n, atMs }];
  expect((await connections.count()).readings).toMatchObject([{ place, leftOut: { NoRoom: 1 } }]);
});

test('what a count takes is its own time, whatever else its thread does meanwhile', async () => {
  const { connections } = await begin();
  for (const program of opened) program.steps = [[], [], []];
  const took = () => process.threadCpuUsage().user / 1000;
  let othersMs = 0;
  setImmediate(() => {
    const since = took();
    while (took() < since + 200);
    othersMs = took() - since;
  });
  const { cpuMs } = await connections.count();
  expect(cpuMs).toBeLessThan(othersMs);
});

test('a count that goes on when the agent is told to end goes on no more', async () => {
  const { connections } = await begin();
  for (const program of opened) program.steps = Array.from({ length: 1000 }, () => []);
  const counted = connections.count();
  connections.endCounts();
  await expect(counted).rejects.toThrow('this agent ends');
});

const areClosed = () => opened.map(({ isClosed }) => isClosed);

describe('what is loaded anew', () => {
  test('takes the place of what was there, which is let go of', async () => {
    const { follow, takeAway } = await begin();
    expect(await follow()).toMatchObject({ served: [{ place }], isAnew: false });
    takeAway();
    expect(await follow()).toMatchObject({ served: [{ place }], isAnew: true });
    expect(areClosed()).toEqual([true, false]);
    expect(opened[1]?.ordered()).toEqual([1n]);
  });

  test('and counts no more serves nobody, until it counts again', async () => {
    const { connections, follow, takeAway } = await begin(undefined, 'ENOMEM at load');
    await follow();
    takeAway();
    expect(await follow()).toMatchObject({ served: [] });
    const why = 'loaded anew, connections cannot be counted: ENOMEM at load';
    expect(connections.means.by).not.toBe('BPF');
    expect(connections.means.why).toContain(why);
    expect(opened[1]?.ordered()).toEqual([]);
    expect([await connections.tryAgain(), connections.mayBeLoaded]).toEqual([true, false]);
    expect(await follow()).toMatchObject({ served: [{ place }] });
    expect(areClosed()).toEqual([true, true, false]);
    expect(connections.means).toMatchObject({ by: 'BPF', countedBy: 'BPF' });
  });

  test.each([undefined, 'EPERM at load'])(
    'serves and sweeps where it never counted, whether it does now or not: %s',
    async (now) => {
      const { connections, follow, takeAway } = await begin('EPERM at load', now);
      takeAway();
      expect(await follow()).toMatchObject({ served: [{ place }], isAnew: true });
      expect(connections.pins).toBe('/pins');
    },
  );

  test('has no pins to sweep by where the kernel takes no part that sweeps', async () => {
    const { connections } = await begin('EPERM at load');
    for (const program of opened) program.sweeps = false;
    expect(connections.means.by).toBe('BPF');
    expect(connections.pins).toBeUndefined();
  });
});

describe('what cannot be loaded anew', () => {
  const faults = ['no BPF file system at /sys/fs/bpf', 'EPERM at load'];
  const asked = (seconds: number) => ({ place, wanted: behind(seconds), timeouts: [seconds] });
  const gone = async (fault: string) => {
    const program = new PlayedProgram();
    const loads = [program, undefined, undefined, new PlayedProgram()];
    const connections = await NodeConnections.open({
      ...{ procRoot, objectFile: 'keepalive.bpf.o', networkOf: () => ({ cookie: 1n, pid: 1 }) },
      open: () => {
        const next = loads.shift();
        const code = fault.split(' ')[0] ?? '';
        return next === undefined
          ? Promise.reject(Object.assign(new Error(fault), { code }))
          : Promise.resolve(next);
      },
    });
    const follow = (...targets: readonly ReturnType<typeof asked>[]) =>
      connections.follow({
        ...{ targets, hostPods: new Set(), running: new Set(), pods: new Map(), held: new Set() },
      });
    await follow(asked(90));
    program.isWhole = false;
    return { connections, follow, program };
  };

  test.each(faults)(
    'is told, serves nobody, and is tried again, whatever it fails for: %s',
    async (fault) => {
      const { connections, follow } = await gone(fault);
      expect(await follow(asked(90))).toMatchObject({ served: [] });
      expect(connections.means.by).not.toBe('BPF');
      expect(connections.means.why).toContain(fault);
      expect(connections.pins).toBeUndefined();
      expect([await connections.tryAgain(), connections.mayBeLoaded]).toEqual([false, true]);
      expect([await connections.tryAgain(), connections.mayBeLoaded]).toEqual([true, false]);
      expect(connections.means).toEqual({ by: 'BPF', countedBy: 'BPF', why: undefined });
      expect(await follow(asked(90))).toMatchObject({ served: [{ place }] });
    },
  );

  test('goes on, as far as it does, by what is asked now, and by nothing once nothing is', async () => {
    const { connections, follow, program } = await gone('EPERM at load');
    await follow(asked(60));
    expect(program.networks).toEqual(new Map([[1n, workedOut(behind(60))]]));
    await follow();
    expect(program.ordered()).toEqual([]);
    await follow(asked(60));
    await connections.remove();
    expect([program.ordered(), program.isClosed]).toEqual([[], true]);
  });
});

describe('what is hidden by a second BPF file system, and acts on', () => {
  const [group, of] = [7n, workedOut(behind(90))];

  test('is told that nothing is asked once it was loaded anew', async () => {
    const { follow, takeAway } = await begin();
    await follow();
    opened[0]?.orderGroup(group, of);
    takeAway();
    await follow();
    expect(opened.map((program) => [program.ordered(), program.orderedGroups()])).toEqual([
      [[], []],
      [[1n], []],
    ]);
  });

  test('is told so by an uninstallation too', async () => {
    const { connections, follow, takeAway } = await begin();
    await follow();
    opened[0]?.orderGroup(group, of);
    takeAway();
    await connections.remove();
    expect([opened[0]?.ordered(), opened[0]?.orderedGroups()]).toEqual([[], []]);
    expect(areClosed()).toEqual([true]);
  });
});

describe('a program that cannot be loaded at the start', () => {
  const follow = (connections: NodeConnections) =>
    connections.follow({
      targets: [{ place, wanted: behind(90), timeouts: [90] }],
      ...{ hostPods: new Set(), running: new Set(), pods: new Map(), held: new Set() },
    });
  const failing = async (...faults: (string | undefined)[]) => {
    const before = join(procRoot, '1/root/sys/fs/bpf/keepalive/0123456789abcdef');
    mkdirSync(before, { recursive: true });
    mkdirSync(join(procRoot, '1/root/sys/fs/cgroup'), { recursive: true });
    const connections = await NodeConnections.open({
      ...{ procRoot, objectFile: 'keepalive.bpf.o', networkOf: () => ({ cookie: 1n, pid: 1 }) },
      open: () => {
        const code = faults.shift();
        return code === undefined
          ? Promise.resolve(new PlayedProgram())
          : Promise.reject(Object.assign(new Error(`${code} at load`), { code }));
      },
    });
    return { connections, isLeft: () => existsSync(before) };
  };

  test('for a passing reason is loaded when it has passed, and the pins of the build before stay until then', async () => {
    const { connections, isLeft } = await failing('EAGAIN', 'ENOMEM');
    expect(connections.means.why).toContain('EAGAIN at load');
    expect(await follow(connections)).toMatchObject({ served: [] });
    expect([connections.mayBeLoaded, isLeft()]).toEqual([true, true]);
    expect(await connections.tryAgain()).toBe(true);
    expect([connections.mayBeLoaded, isLeft()]).toEqual([true, true]);
    expect(await connections.tryAgain()).toBe(true);
    expect(connections.means).toEqual({ by: 'BPF', countedBy: 'BPF', why: undefined });
    expect(connections.mayBeLoaded).toBe(false);
    expect(await follow(connections)).toMatchObject({ served: [{ place }] });
  });

  test('leaves nothing of the build before where nobody asks for anything any more', async () => {
    const { connections, isLeft } = await failing('EAGAIN');
    const none = { hostPods: new Set<never>(), running: new Set<never>(), held: new Set<never>() };
    await connections.follow({ ...none, targets: [], pods: new Map() });
    expect(isLeft()).toBe(false);
  });

  test.each(['EPERM', 'EACCES', 'EINVAL'])('for a lasting reason is not tried again: %s', async (code) => {
    const { connections, isLeft } = await failing(code);
    expect([connections.mayBeLoaded, isLeft()]).toEqual([false, false]);
    expect(await connections.tryAgain()).toBe(false);
  });
});
