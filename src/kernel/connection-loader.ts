import type { ExecFileException } from 'node:child_process';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { Loaded } from './connection-pins.ts';

export interface LoadRequest {
  readonly procRoot: string;
  readonly objectFile: string;
  readonly groupFolder: string;
  /** Where its pins go, and how much of it there is. */
  readonly base: string;
}

/** What the process is told that loads. */
export interface LoadOrder extends LoadRequest {
  /** Who started it. */
  readonly starter: number;
}

export type LoadAnswer =
  | { readonly loaded: Loaded }
  | {
      readonly fault: {
        readonly message: string;
        readonly code: string | undefined;
        readonly syscall: string | undefined;
      };
    };

const isSource = import.meta.url.endsWith('.ts');
/** A bundle has its file beside it, under the name that the bundler gave it. */
const file = fileURLToPath(
  new URL(isSource ? './connection-load-process.ts' : './connection-load-process.mjs', import.meta.url),
);
/** Linux under emulation takes seconds to start Node. */
const patienceMs = 120_000;

/**
 * Loads, attaches and pins as much of the program as the kernel takes, in a process of its own that has left the
 * container's control groups: the kernel charges what it remembers of each connection to whoever made the map, some
 * 300 bytes each and past every limit, and tenants make connections. What libbpf reads of the kernel's types goes with
 * that process too. It ends with whoever started it: the next agent's would find it at the same pins. Rejects with the code of the error, and which step failed, if even the least is refused.
 */
export async function loadApart(request: LoadRequest): Promise<Loaded> {
  const answer = JSON.parse(await answerTo(request)) as LoadAnswer;
  if ('fault' in answer) throw Object.assign(new Error(answer.fault.message), answer.fault);
  return answer.loaded;
}

async function answerTo(request: LoadRequest): Promise<string> {
  const flags = isSource ? ['--disable-warning=ExperimentalWarning'] : [];
  const argv = [...flags, file, JSON.stringify({ ...request, starter: process.pid } satisfies LoadOrder)];
  const env = { ...process.env, NODE_OPTIONS: '' };
  const options = { timeout: patienceMs, killSignal: 'SIGKILL', env } as const;
  try {
    return (await promisify(execFile)(process.execPath, argv, options)).stdout;
  } catch (error) {
    const { code, signal, stderr = '' } = error as ExecFileException & { readonly stderr?: string };
    // It could not even be started.
    if (typeof code === 'string') throw error;
    const how = signal ?? `exit status ${code}`;
    const message = `the process that loads the program ended: ${how} ${stderr}`.trim();
    // As where there was no memory for it: the next may end better.
    throw Object.assign(new Error(message, { cause: error }), { code: 'EAGAIN' });
  }
}
