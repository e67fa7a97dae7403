/** A test that never ends by itself: it makes a machine with one pod, and prints its folder. */
import { Machine } from './machine.ts';

const machine = await Machine.start();
await machine.pod();
process.stdout.write(`${machine.folder}\n`);
const waiting = setInterval(() => undefined, 60_000);
process.once('SIGTERM', () => {
  clearInterval(waiting);
  void machine.stop();
});
