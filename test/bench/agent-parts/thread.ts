import { Worker } from 'node:worker_threads';

new Worker('setInterval(() => {}, 60_000)', { eval: true });
