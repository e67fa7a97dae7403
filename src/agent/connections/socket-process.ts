/**
 * The process in which sockets are looked at, and networks swept. A system call on a socket waits for whoever holds its lock, and a program
 * can hold that for ever: what hangs there is this process, which its parent gives up, kills and leaves behind. A thread
 * would keep all of the agent from ending.
 */
import { setImmediate } from 'node:timers/promises';
import { getPriority, setPriority } from 'node:os';

import { readGroupsFromTheTop } from '../../kernel/control-group.ts';
import { Diary } from './diary.ts';
import type { SocketAnswer, SocketQuestion, Told } from './socket-child.ts';
import { diaryDescriptor, socketProcessName } from './socket-child.ts';
import { NetworkSweep } from './network-sweep.ts';
import { SocketScan } from './socket-scan.ts';

/** Between two, the process hears whether it is still wanted. */
const stepMs = 5;
/** Values come first where both are short of a processor. */
const niceness = 10;

const [procRoot = '/proc'] = process.argv.slice(2);
const diary = new Diary(diaryDescriptor);
// An agent that was started less urgent than that may not be made more so, and looks all the same.
if (getPriority() < niceness) setPriority(niceness);
// By this the next agent knows it, should this one end before it does.
process.title = socketProcessName;
readGroupsFromTheTop(procRoot);
process.on('disconnect', () => process.exit());
const scan = new SocketScan({ procRoot, diary });
const sweeps = new NetworkSweep(procRoot, diary);
process.on('message', (question: SocketQuestion) => void answer(question));
tell({ ready: true });

function tell(message: SocketAnswer): void {
  process.send?.(message);
}

async function answer({ id, forget, look, sweep }: SocketQuestion): Promise<void> {
  try {
    scan.forget(forget);
    let until = performance.now() + stepMs;
    for (const told of steps({ look, sweep })) {
      if (told !== undefined) tell({ id, ...told });
      if (performance.now() < until) continue;
      await setImmediate();
      until = performance.now() + stepMs;
    }
    tell({ id, done: true });
  } catch (error) {
    tell({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

function* steps({ look, sweep }: Pick<SocketQuestion, 'look' | 'sweep'>): Generator<Told | undefined, void> {
  if (look !== undefined)
    for (const looked of scan.look(look)) yield looked === undefined ? undefined : { looked };
  if (sweep !== undefined)
    for (const swept of sweeps.sweep(sweep)) yield swept === undefined ? undefined : { swept };
}
