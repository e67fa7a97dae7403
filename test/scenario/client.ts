import type { ChildProcess } from 'node:child_process';

import { until } from '../cluster/wait.ts';
import type { Stage } from './stage.ts';

/** Clients that are started together in one pod, and told together to be silent. */
export class Clients {
  readonly #child: ChildProcess;
  readonly #said = new Map<string, string[]>();
  #ended = false;
  readonly #pod: string;
  readonly #signal: AbortSignal | undefined;
  readonly #patience: number;

  private constructor(
    pod: string,
    keys: readonly string[],
    { child, signal, patience }: { child: ChildProcess; signal: AbortSignal | undefined; patience: number },
  ) {
    this.#pod = pod;
    this.#signal = signal;
    this.#patience = patience;
    this.#child = child;
    for (const key of keys) this.#said.set(key, []);
    this.#listen();
  }

  /**
   * `commands` by a key of the caller's, without spaces. Chatty ones talk until `silence`; the others have no input,
   * because an input that ends at once is sometimes never seen to end at the far side of kubectl exec.
   */
  static start(
    stage: Pick<Stage, 'cluster' | 'namespace' | 'signal'> & Partial<Pick<Stage, 'patience'>>,
    pod: string,
    { commands, chatty }: { commands: ReadonlyMap<string, readonly string[]>; chatty: boolean },
  ): Clients {
    const input = chatty ? ['-i'] : [];
    const argv = [
      'kubectl',
      'exec',
      ...input,
      '-n',
      stage.namespace,
      pod,
      '--',
      'sh',
      '-c',
      script(commands),
    ];
    const child = stage.cluster.spawn(argv);
    const { signal, patience = 1 } = stage;
    return new Clients(pod, [...commands.keys()], { child, signal, patience });
  }

  /** Resolves when every connection has carried data. */
  async connected(): Promise<void> {
    const stands = (lines: readonly string[]) => lines.some((line) => line.startsWith('connected'));
    await until(
      `all clients in pod ${this.#pod} are connected`,
      () => {
        const missing = [...this.#said].filter(([, lines]) => !stands(lines));
        if (this.#ended && missing.length > 0)
          throw new Error(`clients in pod ${this.#pod} did not connect: ${quote(missing)}`);
        return missing.length === 0;
      },
      { signal: this.#signal, timeoutMs: 60_000 * this.#patience },
    );
  }

  /** From now on they keep silent. */
  silence(): void {
    this.#child.stdin?.end();
  }

  /** The last line of each, once all have ended. */
  async lastWords(): Promise<Map<string, string>> {
    await until(`all clients in pod ${this.#pod} have ended`, () => this.#ended, {
      signal: this.#signal,
      timeoutMs: 120_000 * this.#patience,
    });
    return new Map([...this.#said].map(([key, lines]) => [key, lines.at(-1) ?? 'nothing']));
  }

  /** Ends them wherever they are. */
  stop(): void {
    this.#child.kill();
  }

  #listen(): void {
    let rest = '';
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
    });
    const complain = (text: string) => {
      for (const lines of this.#said.values()) lines.push(`kubectl exec: ${text.trim()}`);
    };
    this.#child.stderr?.setEncoding('utf8').on('data', complain);
    this.#child.once('error', ({ message }) => {
      complain(message);
    });
    this.#child.once('close', () => (this.#ended = true));
  }

  #hear(line: string): void {
    const space = line.indexOf(' ');
    this.#said.get(line.slice(0, space))?.push(line.slice(space + 1));
  }
}

/** Each in the background, its lines marked with its key; a shell gives those an empty input unless told otherwise. */
function script(commands: ReadonlyMap<string, readonly string[]>): string {
  const starts = [...commands].map(([key, argv]) => {
    const command = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    return `(${command} 2>&1 | while IFS= read -r line; do echo "${key} $line"; done) <&3 &`;
  });
  return ['exec 3<&0', ...starts, 'exec 3<&-', 'wait'].join('\n');
}

function quote(said: readonly (readonly [string, readonly string[]])[]): string {
  return [...new Set(said.map(([, lines]) => lines.at(-1) ?? 'nothing'))].join('; ');
}
