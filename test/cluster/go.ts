import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { run, runOrThrow } from './command.ts';

/** Each folder is a Go module of ours, with its go.mod and go.sum. */
export const modules = join(import.meta.dirname, 'programs');

/** The machine's own Go, never one that it would download; no C but where it is asked for. */
export function goEnvironment(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0', ...env };
}

/** Throws what to install for building these modules. */
export async function requireGo(names: readonly string[]): Promise<void> {
  const wanted = names
    .map((name) => /^go (.+)$/m.exec(readFileSync(join(modules, name, 'go.mod'), 'utf8'))?.[1] ?? '0')
    .reduce((a, b) => (isOlder(a, b) ? b : a));
  const have = await run(['go', 'env', 'GOVERSION'], { env: goEnvironment() }).catch(() => undefined);
  const version = have?.stdout.trim().replace(/^go/, '');
  if (version !== undefined && !isOlder(version, wanted)) return;
  const fault = version === undefined ? 'Go is missing' : `this Go is ${version}`;
  throw new Error(
    `${fault}, and ${wanted} or later builds ${names.join(', ')}: install it from https://go.dev/dl and put it first in PATH`,
  );
}

/** Compares 1.26.8 with 1.26.10 as versions are compared; a missing part counts as 0. */
export function isOlder(a: string, b: string): boolean {
  const parts = (text: string) => text.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const [left, right] = [parts(a), parts(b)];
  const at = right.findIndex((part, index) => part !== (left[index] ?? 0));
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}

/** A Go module, as Go itself has fetched and checked it. */
export interface FetchedModule {
  /** Its files; read only. */
  readonly Dir: string;
  /** The path of its go.mod. */
  readonly GoMod: string;
}

/** Files of a module that are published nowhere else by version. */
export async function fetchModule(
  module: string,
  version: string,
  signal?: AbortSignal,
): Promise<FetchedModule> {
  const argv = ['go', 'mod', 'download', '-json', `${module}@v${version}`];
  return JSON.parse(await runOrThrow(argv, { cwd: '/', env: goEnvironment(), signal })) as FetchedModule;
}

export interface Build {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly flags: readonly string[];
  readonly packages: readonly string[];
  readonly output: string;
  readonly progress: Progress;
}

export interface Progress {
  readonly onProgress: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** `go build -v` names each package that it compiles; what it finds in its cache it does not name. */
export async function build({ cwd, env, flags, packages, output, progress }: Build): Promise<void> {
  const options = { cwd, env: goEnvironment(env), signal: progress.signal };
  progress.onProgress('downloading Go modules');
  const listed = await runOrThrow(['go', 'list', '-deps', ...packages], options);
  const total = listed.trim().split('\n').length;
  let done = 0;
  await runOrThrow(
    ['go', 'build', '-v', '-trimpath', '-buildvcs=false', ...flags, '-o', output, ...packages],
    {
      ...options,
      onStderr: (text) => {
        done += text.split('\n').length - 1;
        progress.onProgress(`${done} packages compiled, of at most ${total}`);
      },
    },
  );
}
