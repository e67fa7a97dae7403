import { expect } from '@jest/globals';

import { gvisorHandlers } from '../cluster/guest-node/guest-spec.ts';
import type { Bench } from '../e2e/shared.ts';
import { kap, sleeper, untouched } from '../e2e/shared.ts';
import { locate, podsOnNodes, valuesOfPods } from './pod-on-node.ts';

const namespace = 'every-node-gvisor';

/** Pods of this node that gVisor runs under each of its handlers, and one that it does not run, come after a policy. */
export async function tryGvisor(bench: Bench, node: string): Promise<void> {
  await bench.namespace(namespace);
  const spec = { nodeName: node, automountServiceAccountToken: false };
  const sandboxed = gvisorHandlers.map((handler) => `in-${handler}`);
  const classes = gvisorHandlers.map((handler) => ({
    ...{ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: `class-${handler}` } },
    handler,
  }));
  await bench.apply(...classes, kap(namespace, 'nat', 90));
  const name = { kind: 'kap', name: 'nat', namespace } as const;
  await bench.status(name);
  await bench.start(
    sleeper('ordinary', namespace, { spec }),
    ...gvisorHandlers.map((handler) =>
      sleeper(`in-${handler}`, namespace, { spec: { ...spec, runtimeClassName: `class-${handler}` } }),
    ),
  );
  // All of them have the sysctls in their specs, and what runs two of them does not heed those. Its other two files always hold 0.
  const asked = ['--', 'cat', '/proc/sys/net/ipv4/tcp_keepalive_time'];
  for (const pod of sandboxed)
    expect(await bench.cluster.kubectl('exec', pod, '-n', namespace, ...asked)).toBe('7200');
  const { pods, findings = [] } = await bench.status(
    name,
    (s) => s.pods?.live === 1 && s.pods.declared === 1 && s.findings?.length === sandboxed.length,
  );
  expect(pods).toMatchObject({ selected: 1 + sandboxed.length, declared: 1, live: 1, skipped: 0 });
  expect(findings.map(({ pod, reason }) => [pod, reason]).sort()).toEqual(
    sandboxed.map((pod) => [pod, 'NotReachable']),
  );
  for (const { message } of findings) {
    expect(message).toContain('gVisor runs it');
    expect(message).toContain('set keepalive in the program, or run it with another runtimeClassName');
  }
  const located = await locate(bench.cluster, await podsOnNodes(bench.cluster, namespace));
  expect(await valuesOfPods(bench.cluster, located)).toEqual({
    ordinary: '30/10/6',
    ...Object.fromEntries(sandboxed.map((pod) => [pod, untouched])),
  });
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
  await bench.cluster.kubectl('delete', 'runtimeclass', ...classes.map(({ metadata }) => metadata.name));
}
