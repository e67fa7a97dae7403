import { writeSync } from 'node:fs';

import { exitCodes } from './terminal.ts';

/** What follows where standard output or standard error can take no more. */
export function mindStreams(): void {
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      // A reader that has seen enough (`| head`) is no error, and takes nothing back of what was found: the exit code stays.
      if (code === 'EPIPE') return;
      if (stream === stdout) tell(`error: standard output cannot be written (${code ?? message})\n`);
      process.exit(exitCodes.wrong);
    });
  }
}

/** At once: the program ends behind it. */
function tell(line: string): void {
  try {
    writeSync(process.stderr.fd, line);
  } catch {
    // Both may lead to one place, which takes nothing.
  }
}
