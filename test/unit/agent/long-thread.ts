/** In the place of the kernel thread: it answers nothing, and goes on doing something. */
import { parentPort, workerData } from 'node:worker_threads';

import type { ThreadData, Word } from '../../../src/agent/kernel-link.ts';
import { StepClock } from '../../../src/agent/step-clock.ts';

const clock = new StepClock((workerData as ThreadData).steps);
parentPort?.on('message', () => {
  setInterval(() => clock.step(), 50);
});
parentPort?.postMessage({ waitingFor: undefined } satisfies Word);
