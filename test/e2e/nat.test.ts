import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { Nat } from '../cluster/router.ts';
import { startNat } from '../cluster/router.ts';
import { until } from '../cluster/wait.ts';
import { Bench, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-nat';
const forgetsAfterSeconds = 4;
const port = '7000';
let nat: Nat;

beforeAll(async () => {
  await bench.namespace(namespace);
  nat = await startNat(bench.cluster.lab, {
    name: 'nat',
    kind: 'snat',
    forgetsAfterSeconds,
    then: 'reset',
    outside: 'peer',
  });
  const server = nat.outside.spawn(['idle', 'serve', port]);
  await new Promise((resolve) => server.stdout?.once('data', resolve));
});
afterAll(async () => {
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
  await nat.stop();
  await nat.outside.stop();
});

/** Runs a client in a pod to its end; gives back what it printed last. */
async function lastWords(name: string, ...flags: string[]): Promise<string> {
  const command = [
    'idle',
    'connect',
    nat.address.v4,
    port,
    '--silent',
    String(3 * forgetsAfterSeconds),
    ...flags,
  ];
  const pod = sleeper(name, namespace);
  const [main] = pod.spec.containers;
  await bench.apply({
    ...pod,
    spec: { ...pod.spec, restartPolicy: 'Never', containers: [{ ...main, command }] },
  });
  await until(`${name} has ended`, async () => {
    const { status } = await bench.json<{ status: { phase: string } }>('pod', name, '-n', namespace);
    return ['Succeeded', 'Failed'].includes(status.phase);
  });
  const log = await bench.cluster.kubectl('logs', name, '-n', namespace);
  return log.trim().split('\n').at(-1) ?? '';
}

test('a connection that is idle for longer than the NAT remembers is reset, although its program asked for keepalive', async () => {
  expect(await lastWords('without', '--keepalive')).toBe(
    'silent 12 s: ECONNRESET (104) Connection reset by peer',
  );
});

test('with a policy that declares the timeout, that of a new pod lives through three times the silence', async () => {
  await bench.apply(kap(namespace, 'behind-the-nat', forgetsAfterSeconds));
  await bench.status({ kind: 'kap', name: 'behind-the-nat', namespace });
  expect(await lastWords('with', '--keepalive')).toBe('silent 12 s: alive');
});

test('a program that does not ask for keepalive lives as well, since the agent asks for it', async () => {
  expect(await lastWords('deaf')).toBe('silent 12 s: alive');
});

test('where open connections are only observed, it is not helped by values alone', async () => {
  await bench.apply(kap(namespace, 'behind-the-nat', forgetsAfterSeconds, { openConnections: 'Observe' }));
  await bench.status({ kind: 'kap', name: 'behind-the-nat', namespace });
  expect(await lastWords('deaf-and-observed')).toBe('silent 12 s: ECONNRESET (104) Connection reset by peer');
});
