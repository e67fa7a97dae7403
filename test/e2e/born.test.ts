import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { Bench, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-born';
const port = '7001';

/** A pod that runs `idle`, the client and server that keep silent. */
function talker(name: string, node: string, args: readonly string[], extra: object = {}) {
  const pod = sleeper(name, namespace, { labels: { app: name }, spec: { nodeName: node, ...extra } });
  const [main] = pod.spec.containers;
  return {
    ...pod,
    spec: { ...pod.spec, containers: [{ ...main, command: ['idle', ...args] }] },
  } as ReturnType<typeof sleeper>;
}
/** Timers of established connections to the port, as the kernel's table has them: `02` is keepalive's, with ticks of 10 ms. */
async function timersAt(pod: string): Promise<string[]> {
  const table = await bench.cluster.kubectl('exec', '-n', namespace, pod, '--', 'cat', '/proc/net/tcp6');
  const ending = `:${Number(port).toString(16).toUpperCase()}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => local.endsWith(ending) && state === '01')
    .map((fields) => fields[5] ?? '');
}

beforeAll(() => bench.namespace(namespace));
afterAll(() => bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

describe('a connection that no descriptor leads to', () => {
  test('has keepalive from its first packet where the kernel gives it, and the node says so', async () => {
    await bench.apply(kap(namespace, 'nat', 90));
    await bench.start(talker('server', 'n1', ['queue', port]));
    await bench.untilValuesIn('server', namespace, '30/10/6');
    const { connections } = (await bench.nodeKeepalive('n1')).status ?? {};
    expect(connections).toMatchObject({ by: 'BPF' });
    const { status } = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', namespace);
    await bench.start(talker('client', 'n2', ['connect', status.podIP, port, '--silent', '3600']));
    const timers = await until('it is established, in a queue that nobody accepts from', async () => {
      const found = await timersAt('server');
      return found.length > 0 && found;
    });
    expect(timers).toHaveLength(1);
    const [kind, ticks = ''] = timers[0]?.split(':') ?? [];
    expect(kind).toBe('02');
    expect(parseInt(ticks, 16) / 100).toBeLessThanOrEqual(30);
  });
});
