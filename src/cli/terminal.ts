import { fstatSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';

/** Where a command reads and writes; a test hands in its own. */
export interface Terminal {
  readonly cwd: string;
  out(text: string): void;
  /** For people: what was done, what went wrong. */
  say(text: string): void;
  readStdin(): Promise<Buffer>;
  /** Whether nobody feeds standard input: reading it would wait for somebody to type. */
  readonly stdinIsTerminal: boolean;
  /** Whether a pipe or a file is there: nobody knows whether it has anything, or ends. */
  readonly stdinIsPiped: boolean;
  /** Whether somebody looks at what is written: a screen can be written anew. */
  readonly stdoutIsTerminal: boolean;
  /** Of what is written; plain where nobody looks: a pipe, a file, NO_COLOR. */
  readonly style: Style;
  /** The same of what is said: of the two, either may go into a file. */
  readonly styleSaid: Style;
}

type Style = (how: Parameters<typeof styleText>[0], text: string) => string;

export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    cwd: process.cwd(),
    out: (words) => void stdout.write(words),
    say: (words) => void stderr.write(words),
    readStdin: () => buffer(stdin),
    stdinIsTerminal: stdin.isTTY,
    stdinIsPiped: isPiped(0),
    stdoutIsTerminal: stdout.isTTY,
    style: styleOn(stdout),
    styleSaid: styleOn(stderr),
  };
}

/** What a shell puts there by `|` and `<`. A socket is somebody else's: runners of CI and editors hand theirs down. */
function isPiped(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || (stat.isFile() && stat.size > 0);
  } catch {
    return false;
  }
}

function styleOn(stream: WriteStream): Style {
  const { FORCE_COLOR: force } = process.env;
  const forced = force !== undefined && force !== '0';
  const isColored = forced || (stream.isTTY && stream.hasColors());
  return (how, words) => (isColored ? styleText(how, words, { validateStream: false }) : words);
}

/** Exit codes, the same of every command. */
export const exitCodes = {
  fine: 0,
  /** `check` found what would be refused; `render --diff` a difference; `status` something wrong; `doctor` something to mend. */
  found: 1,
  /** Called wrongly, or something cannot be read. */
  wrong: 2,
} as const;

/** Ends a command; the message says what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.wrong) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** By its name: packed, what is loaded later has a class of its own. */
export function isCommandError(error: unknown): error is CommandError {
  return error instanceof Error && error.name === 'CommandError';
}
