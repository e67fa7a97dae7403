import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

import { z } from 'zod';

export interface Command {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, string>>;
}

/** It greets first, and tells of what happens in the machine between its answers. */
const answerSchema = z.object({
  return: z.unknown().optional(),
  error: z.object({ desc: z.string() }).optional(),
});

/** Has qemu do these one after the other, in its own protocol (QMP); throws what it complains of. */
export async function command(socketPath: string, ...commands: readonly Command[]): Promise<void> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    const lines = createInterface(socket)[Symbol.asyncIterator]();
    for (const one of [{ execute: 'qmp_capabilities' }, ...commands]) {
      socket.write(`${JSON.stringify(one)}\n`);
      await answered(one, lines);
    }
  } finally {
    socket.destroy();
  }
}

async function answered({ execute }: Command, lines: AsyncIterator<string>): Promise<void> {
  for (;;) {
    const line = await lines.next();
    if (line.done === true) throw new Error(`qemu ended before it answered ${execute}`);
    const answer = answerSchema.parse(JSON.parse(line.value));
    if (answer.error !== undefined) throw new Error(`qemu refuses ${execute}: ${answer.error.desc}`);
    if (answer.return !== undefined) return;
  }
}
