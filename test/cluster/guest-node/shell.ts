import { createReadStream, statSync } from 'node:fs';

import type { Output } from '../command.ts';
import type { Host } from '../host.ts';
import { SHELL_PORT } from './units.ts';

/** Bash in a guest, as root, for whoever is in the lab's own network. */
export class Shell {
  readonly #host: Host;
  readonly #name: string;
  readonly #address: string;

  constructor(host: Host, name: string, address: string) {
    this.#host = host;
    this.#name = name;
    this.#address = address;
  }

  /** Lines of bash, and a file that they have to read from standard input to its end. */
  async run(script: string, file?: string): Promise<Output> {
    // Only a program in that network can connect.
    const child = this.#host.spawn(['busybox', 'nc', this.#address, `${SHELL_PORT}`], { cwd: '/' });
    const ended = new Promise<void>((resolve, reject) => {
      child.once('error', reject).once('close', () => {
        resolve();
      });
    });
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (text: string) => (printed[name] += text));
    // The guest may end the connection while it is still being told.
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(`( ${script}\n) 2>&1; printf '\\nstatus:%s' $?; exit\n`);
    if (file !== undefined) createReadStream(file).pipe(child.stdin as NodeJS.WritableStream, { end: false });
    await ended;
    const [, stdout, code] = /^([^]*)\nstatus:(\d+)$/.exec(printed.stdout) ?? [];
    return stdout === undefined ? { ...printed, code: 255 } : { stdout, stderr: '', code: Number(code) };
  }

  async runOrThrow(script: string, file?: string): Promise<string> {
    const { stdout, stderr, code } = await this.run(script, file);
    if (code === 0) return stdout;
    const said = `${stdout}${stderr}`.trim();
    throw new Error(`in guest ${this.#name}, ${script.trim()} ended with status ${code}: ${said}`);
  }

  /** The guest has the file while `script` runs, as /var/tmp/given. */
  give(file: string, script: string): Promise<string> {
    const take = `head -c ${statSync(file).size} > /var/tmp/given`;
    return this.runOrThrow(`set -e; trap 'rm -f /var/tmp/given' EXIT; ${take}\n${script}`, file);
  }
}
