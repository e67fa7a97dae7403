import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit status; 128 + the signal's number where a signal ended it. */
  readonly code: number;
}

export interface RunOptions {
  readonly stdin?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told each piece of standard error as it comes. */
  readonly onStderr?: (text: string) => void;
  /** Asked to end as soon as its standard output has this. */
  readonly upTo?: string | undefined;
  /** How it is called in an error, where the program is not what matters. */
  readonly called?: string;
}

/** Runs a program to its end and gathers what it prints. Rejects only where it cannot be started. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
  const [program = '', ...args] = argv;
  const { stdin, env, cwd, signal } = options;
  const child = spawn(program, args, { env, cwd, signal, stdio: 'pipe' });
  const output = gather(child, options);
  // A program that ends without reading its input closes the pipe: no fault of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin ?? '');
  return output;
}

function gather(child: ChildProcess, { onStderr, upTo }: RunOptions): Promise<Output> {
  return new Promise((resolve, reject) => {
    const printed = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed.stdout += text;
      if (upTo !== undefined && !child.killed && printed.stdout.includes(upTo)) child.kill('SIGTERM');
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      printed.stderr += text;
      onStderr?.(text);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ ...printed, code: code ?? (signal === 'SIGKILL' ? 137 : 143) });
    });
  });
}

/** The same, for a program that must succeed: rejects with what it printed. */
export async function runOrThrow(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { stdout, stderr, code } = await run(argv, options);
  if (code === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-30).join('\n');
  throw new Error(`${options.called ?? argv.slice(0, 3).join(' ')} ended with status ${code}: ${said}`);
}
