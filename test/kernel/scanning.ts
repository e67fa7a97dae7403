import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import { nodeOptions } from '../../src/agent/connections/socket-child.ts';
import type { Machine } from './machine.ts';
import type { Scanned } from './scanner.ts';
import { script } from './script.ts';
import type { LookWire } from './wire.ts';

/** scanner.ts inside a machine, where processes are numbered as there; one look asked, one answered. */
export class Scanner {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(machine: Machine, ...args: readonly string[]) {
    const [node = '', ...file] = script('scanner.ts');
    this.#child = machine.host.spawn([node, ...nodeOptions, ...file, ...args], { cwd: '/' });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the scanner has no output');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async look(targets: LookWire['targets']): Promise<Scanned> {
    this.#child.stdin?.write(`${JSON.stringify({ targets, hostPods: [] } satisfies LookWire)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the scanner ended');
    return JSON.parse(line.value) as Scanned;
  }
}
