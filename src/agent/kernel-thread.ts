/**
 * The thread in which the kernel is spoken to: entering a network namespace moves the thread that does it, and a
 * system call that hangs must hold up nobody who listens to the API server. It answers each message with one.
 */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

import { discover } from './discover.ts';
import { Ledger } from './ledger.ts';
import { NodeKernel } from './node-kernel.ts';
import type { Answer, KernelOptions, Question } from './kernel-link.ts';
import { SocketScan } from './socket-scan.ts';

const { procRoot, ledgerFile } = workerData as KernelOptions;
/** In a container too, it is the machine's own. */
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const kernel = new NodeKernel({ procRoot, ledger: Ledger.open(ledgerFile, bootId) });

const scan = new SocketScan(procRoot);
/** A visit that waits behind a step of a scan waits no longer than this. */
const scanStepMs = 5;

function answerTo({ ask, visits = [], known, scan: request }: Question): Omit<Answer, 'id'> {
  if (known !== undefined) kernel.keepOnly(known);
  switch (ask) {
    case 'visit':
      return { readings: kernel.visit(visits) };
    case 'remembered':
      return { readings: kernel.visit(kernel.remembered()) };
    case 'restoreAll':
      return { readings: kernel.restoreAll() };
    case 'discover':
      return { discovery: discover(procRoot) };
    case 'scan':
      if (request !== undefined) scan.begin(request);
      return { sockets: scan.proceed(scanStepMs) };
  }
}

parentPort?.on('message', (question: Question) => {
  const { id } = question;
  try {
    parentPort?.postMessage({ id, ...answerTo(question) } satisfies Answer);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ id, error: message } satisfies Answer);
  }
});
