/**
 * Loaded into a process before its program (`node --import`): how long the event loop was not free, in time of the processor, so that
 * what else runs on the machine has no part in it; and memory, at `/collected` after a collection. Not of its first second. Told, and begun
 * anew, on a socket that KEEPALIVE_PROBE names.
 */
import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { cpuMs } from '../bench/loop-probe.ts';

const everyMs = 2;
/** Before that, it is the program that is loaded. */
const loadedS = 1;
let longestMs = 0;
let last = cpuMs();

setInterval(() => {
  const now = cpuMs();
  if (process.uptime() > loadedS) longestMs = Math.max(longestMs, now - last);
  last = now;
}, everyMs).unref();

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const server = createServer(({ url }, response) => {
  if (url === '/collected') collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpuS = (userCPUTime + systemCPUTime) / 1e6;
  response.end(JSON.stringify({ longestMs, rss, heap: heapUsed + external, peak: maxRSS * 1024, cpuS }));
  longestMs = 0;
});
server.listen(process.env.KEEPALIVE_PROBE).unref();
