import type { Bench } from './shared.ts';
import { sleeper } from './shared.ts';

interface Where {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
}

/** A pod that runs `idle`, the client and server that keep silent. */
export function talker({ name, namespace, node }: Where, args: readonly string[], extra: object = {}) {
  const pod = sleeper(name, namespace, { labels: { app: name }, spec: { nodeName: node, ...extra } });
  const [main] = pod.spec.containers;
  return {
    ...pod,
    spec: { ...pod.spec, containers: [{ ...main, command: ['idle', ...args] }] },
  } as ReturnType<typeof sleeper>;
}

/** Timers of a pod's established connections to its port, by their peers, as the kernel's table has them: `02` is keepalive's, with ticks of 10 ms. */
export async function timersAt(
  bench: Bench,
  { name, namespace }: Omit<Where, 'node'>,
  port: string,
): Promise<ReadonlyMap<string, string>> {
  const table = await bench.cluster.kubectl('exec', '-n', namespace, name, '--', 'cat', '/proc/net/tcp6');
  const lines = establishedIn(table).filter(({ local }) => local.endsWith(ending(port)));
  return new Map(lines.map(({ peer, timer }) => [peer, timer]));
}

/** Those of established connections to a port, in such a table. */
export function timersTo(table: string, port: string): string[] {
  return establishedIn(table)
    .filter(({ peer }) => peer.endsWith(ending(port)))
    .map(({ timer }) => timer);
}

const ending = (port: string) => `:${Number(port).toString(16).toUpperCase()}`;
function establishedIn(table: string) {
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === '01')
    .map(([, local = '', peer = '', , , timer = '']) => ({ local, peer, timer }));
}

/** Whether it is keepalive's, and due within so many seconds. */
export function isKeepalive(timer: string, seconds: number): boolean {
  const [kind, ticks = ''] = timer.split(':');
  return kind === '02' && parseInt(ticks, 16) / 100 <= seconds;
}
