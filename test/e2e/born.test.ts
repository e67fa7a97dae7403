import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { Bench, kap } from './shared.ts';
import { isKeepalive, talker, timersAt } from './talker.ts';

const bench = new Bench();
const namespace = 'e2e-born';
const port = '7001';
const server = { name: 'server', namespace, node: 'n1' };

beforeAll(() => bench.namespace(namespace));
afterAll(() => bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

/** Opens one more connection; its timer, once it waits in the queue that nobody accepts from. */
async function oneMore(name: string): Promise<string> {
  const before = await timersAt(bench, server, port);
  const { status } = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', namespace);
  const connect = ['connect', status.podIP, port, '--silent', '3600'];
  await bench.start(talker({ name, namespace, node: 'n2' }, connect));
  return until('it is established', async () => {
    const found = await timersAt(bench, server, port);
    return [...found].find(([peer]) => !before.has(peer))?.[1];
  });
}

/** Sends it to every process of the agent of n1. */
async function signalAgent(signal: 'STOP' | 'CONT'): Promise<void> {
  const { items } = await bench.json<{ items: { metadata: { uid: string } }[] }>(
    ...['pods', '-n', 'keepalive-agent', '--field-selector=spec.nodeName=n1'],
  );
  const uid = items[0]?.metadata.uid ?? 'none';
  const files = `grep -lE 'pod(${uid}|${uid.replaceAll('-', '_')})' /proc/[0-9]*/cgroup 2>/dev/null`;
  const killed = await bench.cluster.onNode(
    'n1',
    `for file in $(${files}); do kill -${signal} $(basename $(dirname $file)) && echo $file; done`,
  );
  expect(killed).not.toBe('');
}

describe('a connection that no descriptor leads to', () => {
  test('has keepalive from its first packet where the kernel gives it, and the node says so', async () => {
    await bench.apply(kap(namespace, 'nat', 90));
    await bench.start(talker(server, ['queue', port]));
    await bench.untilValuesIn('server', namespace, '30/10/6');
    // The values come with the pod itself; the kernel knows of it when its node has told of it.
    const { connections } = await bench.report('n1', ({ policies = [] }) =>
      policies.some((one) => one.namespace === namespace && one.live === 1 && one.connections !== undefined),
    );
    expect(connections).toMatchObject({ by: 'BPF' });
    expect(isKeepalive(await oneMore('client'), 30)).toBe(true);
  });

  test('has it too while the agent of its node does nothing', async () => {
    await signalAgent('STOP');
    try {
      expect(isKeepalive(await oneMore('later'), 30)).toBe(true);
    } finally {
      await signalAgent('CONT');
    }
  });
});
