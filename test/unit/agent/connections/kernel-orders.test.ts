import { beforeEach, describe, expect, test } from '@jest/globals';

import { KernelOrders } from '../../../../src/agent/connections/kernel-orders.ts';
import type { Order } from '../../../../src/kernel/connection-layout.ts';
import type { Place } from '../../../../src/policy/place.ts';
import { HOST, placeOfPod } from '../../../../src/policy/place.ts';
import { behind } from '../../../support/builder.ts';
import { PlayedProgram } from './played-program.ts';

const one = placeOfPod('one');
const held = placeOfPod('held');

let kernel: PlayedProgram;
let cookies: Map<Place, bigint>;
let orders: KernelOrders;
beforeEach(() => {
  kernel = new PlayedProgram();
  cookies = new Map([
    [HOST, 1n],
    [one, 2n],
    [held, 3n],
  ]);
  begin();
});

function begin(): void {
  orders = new KernelOrders({
    ...{ program: kernel, folders: undefined },
    networkOf: (place) => {
      const cookie = cookies.get(place);
      return cookie === undefined ? undefined : { cookie, pid: 1 };
    },
  });
}

function follow(asked: readonly Place[], unreadable: readonly Place[] = []) {
  const targets = asked.map((place) => ({ place, wanted: behind(90), timeouts: [90] }));
  const pods = new Map([one, held].map((place) => [place, { name: place, group: place, containers: [] }]));
  return orders.follow({ targets, hostPods: new Set(), running: new Set(), pods, held: new Set(unreadable) });
}

describe('while nobody can tell what is asked of one pod', () => {
  test('what is asked no more of another is withdrawn', () => {
    follow([one], [held]);
    expect(kernel.ordered()).toEqual([2n]);
    follow([], [held]);
    expect(kernel.ordered()).toEqual([]);
  });

  test('networks that are gone leave no order behind, however many there were', () => {
    for (let cookie = 100n; cookie < 200n; cookie += 1n) {
      cookies.set(one, cookie);
      expect(follow([one], [held]).refused).toEqual({});
      expect(kernel.ordered()).toEqual([cookie]);
    }
  });

  test('what an earlier agent ordered for it goes on, and nothing else that it did', () => {
    follow([one, held]);
    kernel.networks.set(77n, {} as Order);
    begin();
    follow([], [held]);
    expect(kernel.ordered()).toEqual([3n]);
    follow([]);
    expect(kernel.ordered()).toEqual([]);
  });

  test('what an earlier agent ordered for a network of nobody goes on until that of the pod is known', () => {
    follow([one, held]);
    begin();
    cookies.delete(held);
    follow([], [held]);
    expect(kernel.ordered()).toEqual([3n]);
    cookies.set(held, 4n);
    follow([], [held]);
    expect(kernel.ordered()).toEqual([]);
  });

  test('what agents of another build ordered goes on for it alone, until they are removed', () => {
    const before = new PlayedProgram();
    kernel.beside = [before];
    for (const cookie of [1n, 2n, 3n, 77n]) before.networks.set(cookie, {} as Order);
    before.groups.set(9n, {} as Order);
    follow([one], [held]);
    expect([before.ordered(), before.orderedGroups(), before.isClosed]).toEqual([[3n], [], true]);
    expect(kernel.ordered()).toEqual([2n]);
  });

  test('of the host’s network, what an earlier agent ordered for that and for control groups in it goes on', () => {
    kernel.networks.set(1n, {} as Order).set(2n, {} as Order);
    kernel.groups.set(9n, {} as Order);
    follow([], [HOST]);
    expect([kernel.ordered(), kernel.orderedGroups()]).toEqual([[1n], [9n]]);
    follow([]);
    expect([kernel.ordered(), kernel.orderedGroups()]).toEqual([[], []]);
  });
});
