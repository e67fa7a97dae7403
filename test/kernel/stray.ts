/**
 * In a machine: how many sockets are told of the processes of the pod of the first argument, where they are taken for processes of
 * each of the others; `-` stands for the host.
 */
import type { Onlooker } from '../../src/agent/connections/process-sockets.ts';
import { ProcessSockets } from '../../src/agent/connections/process-sockets.ts';
import { processesOfPods } from '../../src/agent/sandbox.ts';

const [uid, ...taken] = process.argv.slice(2);
const ignore = () => undefined;
const onlooker: Onlooker = {
  ...{ wanted: undefined, hasRoom: () => true, isNew: () => true, wasArmed: () => false },
  ...{ arm: ignore, meet: ignore, pass: ignore, passForeign: ignore, refuse: ignore },
};
const sockets = new ProcessSockets('/proc');

function met(group: string | undefined): number {
  const seen = new Set<number>();
  const own = processesOfPods('/proc')
    .entries()
    .filter(([one]) => one.group === uid);
  for (const pid of own.flatMap(([, pids]) => pids)) {
    const look = sockets.look({ pid, group }, { ...onlooker, meet: (inode) => seen.add(inode) });
    while (look.next().done !== true);
  }
  return seen.size;
}

process.stdout.write(JSON.stringify(taken.map((one) => met(one === '-' ? undefined : one))));
