/**
 * The thread in which the kernel is spoken to: entering a network namespace moves the thread that does it, and a
 * system call that hangs must hold up nobody who listens to the API server. It answers each message with one.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';

import { readGroupsFromTheTop } from '../kernel/control-group.ts';
import { trimAllocator } from '../kernel/syscall.ts';
import { backOffMs } from '../kube/backoff.ts';
import { giveBackMemory } from '../ops/heap.ts';
import { discover } from './discover.ts';
import type { Answer, Question, ThreadData, Word } from './kernel-link.ts';
import { Ledger } from './ledger.ts';
import { NodeConnections } from './connections/node-connections.ts';
import { NodeKernel } from './node-kernel.ts';
import { StepClock } from './step-clock.ts';
import { Turn } from './turn.ts';

const { procRoot, ledgerFile, objectFile, steps } = workerData as ThreadData;
/** In a container too, it is the machine's own. */
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const askAgainMs = 250;
const stepMs = 1000;
const loadAgain = { minMs: 2000, maxMs: 10 * 60_000 };
const clock = new StepClock(steps);
// Also while a count goes on, or a process is waited for: what hangs in a system call is what does not come to this.
setInterval(() => clock.step(), stepMs).unref();
// Before the first process is looked at, this agent's own among them.
readGroupsFromTheTop(procRoot);
giveBackMemory(trimAllocator);
const turn = new Turn(join(dirname(ledgerFile), 'lock'), procRoot);

/** What is asked meanwhile waits for its answer. */
function begin(): void {
  const holder = turn.take();
  if (holder !== undefined) {
    tell({ waitingFor: holder });
    setTimeout(begin, askAgainMs);
    return;
  }
  const ledger = Ledger.open(ledgerFile, bootId);
  let walkMs: number | undefined;
  const onWalk = (ms: number) => {
    walkMs = (walkMs ?? 0) + ms;
  };
  const kernel = new NodeKernel({ procRoot, ledger, onWalk, onStep: () => clock.step() });
  const connections = NodeConnections.open({
    ...{ procRoot, objectFile },
    networkOf: (place) => kernel.networkOf(place),
  });
  parentPort?.on('message', (question: Question) => {
    walkMs = undefined;
    void answerTo({ kernel, connections }, question)
      .catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }))
      .then((answer) => parentPort?.postMessage({ id: question.id, ...answer, walkMs } satisfies Answer));
  });
  tell({ waitingFor: undefined, ignoredLines: ledger.ignored });
  // It starts a process: values are held meanwhile.
  void connections.then(tellReach);
}

/** Now, and whenever it is another, until the program is loaded, or known not to be. */
async function tellReach(connections: NodeConnections): Promise<void> {
  tellOf(connections);
  for (let failures = 0; connections.mayBeLoaded; failures += 1) {
    await sleep(backOffMs(failures, loadAgain, Math.random));
    if (await connections.tryAgain()) tellOf(connections);
  }
}

function tellOf({ means, pins, byDescriptors, mayBeLoaded }: NodeConnections): void {
  tell({ reach: { means, pins, byDescriptors, mayBeLoaded } });
}

function tell(word: Word): void {
  parentPort?.postMessage(word);
}

interface Kernel {
  readonly kernel: NodeKernel;
  readonly connections: Promise<NodeConnections>;
}

type Answering = (on: Kernel, question: Question) => Omit<Answer, 'id'> | Promise<Omit<Answer, 'id'>>;

const answers: Readonly<Record<Question['ask'], Answering>> = {
  visit: ({ kernel }, { visits = [], pods }) => ({ readings: kernel.visit(visits, pods) }),
  remembered: ({ kernel }) => ({ readings: kernel.visit(kernel.remembered()) }),
  restoreAll: ({ kernel }) => ({ restored: kernel.restoreAll() }),
  removeConnections: async ({ connections }) => {
    await (await connections).remove();
    return {};
  },
  discover: () => ({ discovery: discover(procRoot) }),
  followConnections: async ({ kernel, connections }, { followed, lost = [] }) => {
    for (const place of lost) kernel.lose(place);
    if (followed === undefined) return {};
    const on = await connections;
    const { means } = on;
    const following = await on.follow(followed);
    // Whoever hears the answer knows that by then: what was loaded was gone, and is not to be had again, or in another extent.
    if (!isDeepStrictEqual(on.means, means)) void tellReach(on);
    return { following };
  },
  countConnections: async ({ connections }) => ({ counted: await (await connections).count() }),
  endCounts: async ({ connections }) => {
    (await connections).endCounts();
    return {};
  },
};

/** All of it at once, but for counts, between whose steps others are answered. */
async function answerTo(on: Kernel, question: Question): Promise<Omit<Answer, 'id'>> {
  return answers[question.ask](on, question);
}

begin();
