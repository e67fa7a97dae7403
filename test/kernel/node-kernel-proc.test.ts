import { describe, expect, test } from '@jest/globals';

import type { NodeKernel } from '../../src/agent/node-kernel.ts';
import { kernelDefaults as kernel } from '../../src/api/triple.ts';
import type { Place } from '../../src/policy/place.ts';
import { HOST } from '../../src/policy/place.ts';
import { asking } from '../support/builder.ts';
import type { Machine } from './machine.ts';
import { eachWithAgent } from './machine-with-agent.ts';

const wanted = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const asked = asking(90);
const nothing = asking();

let machine: Machine;
let agent: NodeKernel;
eachWithAgent((...each) => ([machine, agent] = each));

const visit = (place: Place, want = asked) => {
  const [reading] = agent.visit([{ place, wanted: want, anew: false, asked: true }], machine.pods);
  if (reading === undefined) throw new Error('no reading');
  return reading;
};

describe('a proc file system', () => {
  const mounted = async (...commands: string[]) => {
    await machine.host.execOrThrow(['sh', '-ec', commands.join('\n')], { cwd: '/' });
    agent.close();
    agent = machine.agent({ procRoot: `/proc/${machine.host.id.pid}/root/run/proc` });
  };

  const readOnly = [
    'mkdir /run/proc',
    'mount --bind /proc /run/proc',
    'mount -o remount,bind,ro /run/proc',
  ] as const;
  const refusals = [
    { key: 'timeSeconds', code: 'EROFS' },
    { key: 'intervalSeconds', code: 'EROFS' },
    { key: 'probes', code: 'EROFS' },
  ];

  test('that may not be written: the values are told, and why they stay, and nobody is said to override them', async () => {
    const pod = await machine.pod();
    await mounted(...readOnly);
    expect(visit(pod.place, nothing)).toMatchObject({ state: 'read', now: kernel, faults: [] });
    for (let round = 1; round <= 5; round += 1) {
      const { override, ...reading } = visit(pod.place);
      expect(reading).toMatchObject({
        now: kernel,
        faults: refusals,
        found: {},
        repaired: 0,
        putRight: false,
      });
      expect(override).toBeUndefined();
    }
    expect([...agent.remembered()]).toEqual([]);
  });

  test('that may not be written any more: what somebody sets back is told once, and not called put right', async () => {
    const pod = await machine.pod();
    visit(pod.place);
    await mounted(...readOnly);
    expect(visit(pod.place)).toMatchObject({ now: wanted, faults: [] });
    await machine.set(pod.pid, 'time', 600);
    for (let round = 1; round <= 5; round += 1)
      expect(visit(pod.place)).toMatchObject({
        now: { ...wanted, timeSeconds: 600 },
        faults: refusals.slice(0, 1),
        ...{ found: kernel, repaired: 0, putRight: false, override: { seen: 600, times: 1 } },
      });
  });

  test('without one of the values: the others are written', async () => {
    await mounted(
      'mkdir /run/proc',
      'mount --rbind /proc /run/proc',
      'mkdir /run/lacking',
      'echo 99 > /run/lacking/tcp_keepalive_time',
      'echo 75 > /run/lacking/tcp_keepalive_intvl',
      'mount --bind /run/lacking /run/proc/sys/net/ipv4',
    );
    expect(visit(HOST)).toMatchObject({
      now: { timeSeconds: 30, intervalSeconds: 10 },
      faults: [{ key: 'probes', code: 'ENOENT' }],
    });
  });

  test('without its first process: nothing is written anywhere, since the host’s network is not known', async () => {
    const pod = await machine.pod();
    await mounted('mkdir /run/proc');
    expect(visit(pod.place)).toMatchObject({ state: 'failed', reason: 'ESRCH' });
    expect(await machine.values(pod.pid)).toEqual(kernel);
  });
});
