import { join } from 'node:path';

import { toolsFolder } from '../cluster/image.ts';
import type { Host } from '../cluster/host.ts';
import { until } from '../cluster/wait.ts';
import type { Machine } from '../kernel/machine.ts';
import { sandboxGroup } from '../kernel/sandbox.ts';

/** A network namespace and a control group of their own, as a pod has them. */
export interface Sandbox {
  /** As its host numbers it. */
  readonly pid: number;
  /** A folder. */
  readonly group: string;
}

export interface Holding {
  /** Of each sandbox, which has both ends of each. */
  readonly connections: number;
  /** What is held besides, at another port, stays. */
  readonly port?: number;
}

const firstPort = 7000;
/** Of the sandbox's own, and not of the loopback's range. */
const address = '10.9.0.1';

/** Of a crowd of {@link Machine.crowd}. */
export function sandboxesIn(
  { groups }: Machine,
  crowd: readonly { readonly uid: string; readonly pid: number }[],
): Sandbox[] {
  return crowd.map(({ uid, pid }) => ({ pid, group: join(groups, sandboxGroup(uid)) }));
}

/** In each sandbox a program with its connections; resolves once they are open. */
export async function hold(
  host: Host,
  sandboxes: readonly Sandbox[],
  { connections, port = firstPort }: Holding,
): Promise<void> {
  const script = `set -e
    while read -r pid group; do
      nsenter -t "$pid" -n sh -c 'ip link set lo up; ip addr replace ${address}/32 dev lo'
      (echo 0 > "$group/cgroup.procs"; exec nsenter -t "$pid" -n ${toolsFolder()}/idle hold ${address} ${port} ${connections}) < /dev/null > /dev/null 2>&1 &
    done`;
  const stdin = sandboxes.map(({ pid, group }) => `${pid} ${group}\n`).join('');
  await host.execOrThrow(['bash', '-c', script], { stdin, cwd: '/' });
  for (const { pid } of new Set([...sandboxes.slice(0, 3), ...sandboxes.slice(-1)]))
    await until(
      'its connections are open',
      async () => {
        const ofPort = ['state', 'established', `( sport = :${port} or dport = :${port} )`];
        const argv = ['nsenter', '-t', `${pid}`, '-n', 'ss', '-tnH', ...ofPort];
        const { stdout } = await host.exec(argv, { cwd: '/' });
        return stdout.trim().split('\n').length === connections * 2;
      },
      { timeoutMs: 180_000 },
    );
}
