/**
 * The thread in which the kernel is spoken to: entering a network namespace moves the thread that does it, and a
 * system call that hangs must hold up nobody who listens to the API server. It answers each message with one.
 */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

import { Ledger } from './ledger.ts';
import { NodeKernel } from './node-kernel.ts';
import type { Answer, KernelOptions, Question } from './kernel-link.ts';

const { procRoot, ledgerFile } = workerData as KernelOptions;
/** In a container too, it is the machine's own. */
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const kernel = new NodeKernel({ procRoot, ledger: Ledger.open(ledgerFile, bootId) });

parentPort?.on('message', ({ id, ask, visits = [], known }: Question) => {
  const answer = (body: Omit<Answer, 'id'>) => parentPort?.postMessage({ id, ...body } satisfies Answer);
  try {
    if (known !== undefined) kernel.keepOnly(known);
    switch (ask) {
      case 'visit':
        answer({ readings: kernel.visit(visits) });
        break;
      case 'remembered':
        answer({ readings: kernel.visit(kernel.remembered()) });
        break;
      case 'restoreAll':
        answer({ readings: kernel.restoreAll() });
        break;
    }
  } catch (error) {
    answer({ readings: [], error: error instanceof Error ? error.message : String(error) });
  }
});
