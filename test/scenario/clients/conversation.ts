/** How every client of a scenario behaves; scenario.ts says what it has to print. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Conversation {
  /** Says something on the connection and hears the answer. */
  readonly chat: () => Promise<unknown>;
  /** Is silent on the connection for as long as `silence` takes, and rejects unless it is alive after that. */
  readonly resume: (silence: Promise<void>) => Promise<unknown>;
}

/** How long after the silence an answer may take. */
export const patienceSeconds = 10;

/** Chats until standard input ends, is silent, resumes, says what came of it, and ends this program. */
export async function hold(open: () => Promise<Conversation>, silentSeconds: number): Promise<never> {
  let when = 'first words';
  try {
    const conversation = await open();
    await conversation.chat();
    await say('connected');
    when = 'chat';
    const told = endOfInput();
    while (!(await Promise.race([told, delay(1000, false)]))) await conversation.chat();
    when = `silent ${silentSeconds} s`;
    await conversation.resume(delay(1000 * silentSeconds));
    await say(`${when}: alive`);
    process.exit(0);
  } catch (error) {
    await say(`${when}: ${describe(error)}`);
    process.exit(1);
  }
}

/** Rejects with `complaint` where the answer is late. */
export function answered<T>(answer: Promise<T>, complaint: string): Promise<T> {
  const late = delay(1000 * patienceSeconds).then(() => {
    throw new Error(`${complaint} within ${patienceSeconds} s`);
  });
  return Promise.race([answer, late]);
}

function endOfInput(): Promise<true> {
  return new Promise((resolve) => {
    process.stdin
      .once('end', () => {
        resolve(true);
      })
      .resume();
  });
}

function say(line: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${line}\n`, () => {
      resolve();
    });
  });
}

/** The kernel's error where there is one below: its name and number, then how the library puts it. */
function describe(error: unknown): string {
  const { name, message } = error as Error;
  for (let cause = error as NodeJS.ErrnoException | undefined; cause; cause = cause.cause as typeof cause) {
    if (cause.code !== undefined && cause.errno !== undefined)
      return `${cause.code} (${-cause.errno}) ${name}: ${message}`;
  }
  return `${name}: ${message}`;
}
