/**
 * The thread in which the kernel is spoken to: entering a network namespace moves the thread that does it, and a
 * system call that hangs must hold up nobody who listens to the API server. It answers each message with one.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

import { readGroupsFromTheTop } from '../kernel/control-group.ts';
import { discover } from './discover.ts';
import type { Answer, KernelOptions, Question, Word } from './kernel-link.ts';
import { Ledger } from './ledger.ts';
import { NodeKernel } from './node-kernel.ts';
import { Turn } from './turn.ts';

const { procRoot, ledgerFile } = workerData as KernelOptions;
/** In a container too, it is the machine's own. */
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const askAgainMs = 250;
// Before the first process is looked at, this agent's own among them.
readGroupsFromTheTop(procRoot);
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
  const kernel = new NodeKernel({ procRoot, ledger, onWalk });
  parentPort?.on('message', ({ id, ...question }: Question) => {
    walkMs = undefined;
    try {
      const answer = answerTo(kernel, question);
      parentPort?.postMessage({ id, ...answer, walkMs } satisfies Answer);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      parentPort?.postMessage({ id, error: message } satisfies Answer);
    }
  });
  tell({ waitingFor: undefined, ignoredLines: ledger.ignored });
}

function tell(word: Word): void {
  parentPort?.postMessage(word);
}

function answerTo(kernel: NodeKernel, { ask, visits = [], pods }: Omit<Question, 'id'>): Omit<Answer, 'id'> {
  switch (ask) {
    case 'visit':
      return { readings: kernel.visit(visits, pods) };
    case 'remembered':
      return { readings: kernel.visit(kernel.remembered()) };
    case 'restoreAll':
      return { readings: kernel.restoreAll() };
    case 'discover':
      return { discovery: discover(procRoot) };
  }
}

begin();
