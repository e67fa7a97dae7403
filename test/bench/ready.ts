/**
 * ready.ts TIMES URL PROGRAM [ARG…]: starts a program so often, one after the other, and prints each time how many
 * milliseconds went by from there to the first answer 200 at the URL.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const askEveryMs = 2;
const [times = '', url = '', program = '', ...args] = process.argv.slice(2);

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => {
      resolve(false);
    });
  });
}

for (let round = 0; round < Number(times); round += 1) {
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`${program} ended before it answered`);
    await delay(askEveryMs);
  }
  process.stdout.write(`${performance.now() - startedAt}\n`);
  child.kill('SIGKILL');
  await ended;
}
