import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isIPv6 } from 'node:net';

import type { Family } from '../cluster/addresses.ts';
import { Cluster } from '../cluster/cluster.ts';
import { Bench, kap, sleeper } from '../e2e/shared.ts';

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string };
    readonly status: {
      readonly podIPs?: readonly { readonly ip: string }[];
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

describe.each<[Family, boolean[]]>([
  ['ipv6', [true]],
  ['dual', [false, true]],
])('on a cluster of %s', (family, pods) => {
  let cluster: Cluster;
  let bench: Bench;
  beforeAll(async () => {
    cluster = await Cluster.up({ name: `e2e-${family}`, nodes: 1, owned: true, family });
    bench = new Bench(cluster);
  });
  afterAll(() => cluster.down());

  test('the controller and the agents become ready, on addresses of that family', async () => {
    // Waits until every one of them is.
    await cluster.install();
    const { items } = await bench.json<Pods>('pods', '-A', '-l', 'app.kubernetes.io/name=keepalive-operator');
    expect(items.map(({ metadata }) => metadata.namespace).sort()).toEqual([
      ...['keepalive-agent', 'keepalive-system', 'keepalive-system'],
    ]);
    for (const { status } of items) {
      expect(status.podIPs?.map(({ ip }) => isIPv6(ip))).toEqual(pods);
      expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
    }
  });

  test('a policy is in force, and a pod is covered by it', async () => {
    await bench.apply(kap('default', 'nat', 90));
    await bench.status({ kind: 'kap', name: 'nat', namespace: 'default' });
    await bench.start(sleeper('one', 'default'));
    expect(await bench.valuesIn('one', 'default')).toBe('30/10/6');
    const wait = ['wait', 'kap/nat', '--for=condition=Covered', '--timeout=120s'];
    expect(await cluster.kubectl(...wait)).toContain('condition met');
  });
});
