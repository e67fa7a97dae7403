/** In the place of the kernel thread: the first question has it wait for ever. */
import { parentPort, workerData } from 'node:worker_threads';

import type { ThreadData, Word } from '../../../src/agent/kernel-link.ts';
import { StepClock } from '../../../src/agent/step-clock.ts';

const clock = new StepClock((workerData as ThreadData).steps);
parentPort?.on('message', () => {
  clock.step();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
parentPort?.postMessage({ waitingFor: undefined } satisfies Word);
