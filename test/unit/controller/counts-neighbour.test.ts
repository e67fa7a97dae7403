import { setImmediate } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import { platform, pod, sysctls, team } from '../../support/builder.ts';
import { Rig } from './counts-rig.ts';

const rest = { generation: 1, problems: undefined, status: {} };

function rigWith(pods: number, policies: number): Rig {
  const rig = new Rig({ sliceMs: 0 });
  for (const name of ['heap', 'db']) rig.put('namespaces', name, { uid: name, name, labels: {} });
  for (let at = 0; at < pods; at += 1) putPod(rig, 'heap', at);
  putPod(rig, 'db', 0);
  for (let at = 0; at < policies; at += 1) putPolicy(rig, 'heap', at);
  putPolicy(rig, 'db', 0);
  const cluster = platform(900, {}, 'all');
  rig.put('clusterkeepalivepolicies', 'all', { ...cluster, ...rest, policy: cluster, uid: 'all' });
  return rig;
}

/** Each has labels of its own, as those of a StatefulSet. */
function putPod(rig: Rig, namespace: string, at: number): void {
  const name = `p${at}`;
  const labels = { app: `app${at % 3}`, 'statefulset.kubernetes.io/pod-name': name };
  rig.put('pods', `${namespace}/${name}`, {
    ...pod({ name, namespace, labels, sysctls: sysctls(5, 2, 6) }),
    ...{ uid: `${namespace}/${name}`, agentReady: undefined },
  });
}

function putPolicy(rig: Rig, namespace: string, at: number, seconds = 100 + at): void {
  const name = `a${at}`;
  const podSelector = at % 2 === 0 ? {} : { matchLabels: { app: 'app1' } };
  const policy = { ...team(seconds, { podSelector }, name), namespace };
  rig.put('keepalivepolicies', `${namespace}/${name}`, { ...policy, ...rest, policy, uid: name });
}

test('a policy is counted while those of a heap are, and waits for a turn of each and not for all of them', async () => {
  const rig = rigWith(2000, 3);
  const heap = ['heap/a0', 'heap/a1', 'heap/a2'].map((key) => rig.world.counts.settle(key, () => true));
  const counted = rig.world.counts.settle('db/a0', () => true);
  let turns = 0;
  let isCounted = false;
  void counted.then(() => (isCounted = true));
  for (; !isCounted && turns < 1000; turns += 1) await setImmediate();
  // Its steps are few: a pod, a namespace, and a policy of the cluster.
  expect(turns).toBeLessThan(100);
  await Promise.all([...heap, counted]);
  for (const key of rig.keys()) expect([key, await rig.kept(key)]).toEqual([key, rig.plain(key)]);
});

test('pods and policies that come and go while each set of labels is looked at are counted once', async () => {
  const rig = rigWith(300, 3);
  let [next, seed] = [300, 1];
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 20; round += 1) {
    const counting = rig.keys().map((key) => rig.world.counts.settle(key, () => true));
    for (let change = 0; change < 10; change += 1) {
      for (let turn = random(250); turn > 0; turn -= 1) await setImmediate();
      rig.put('pods', `heap/p${random(next)}`, undefined);
      putPod(rig, 'heap', (next += 1));
      if (change === 5) putPolicy(rig, 'heap', random(3), 100 + random(50));
      if (change === 8 && random(4) === 0)
        rig.put('namespaces', 'heap', { uid: 'heap', name: 'heap', labels: { round: `${round}` } });
    }
    if (round % 5 === 4) {
      await Promise.all(counting);
      for (const key of rig.keys()) expect([key, await rig.kept(key)]).toEqual([key, rig.plain(key)]);
    }
  }
});
