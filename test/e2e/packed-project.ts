import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import product from '../../package.json' with { type: 'json' };
import { repository } from '../cluster/place.ts';
import { Folder } from '../unit/cli/folder.ts';

const run = promisify(execFile);

/** An empty project into which the package is installed, as npm does it for whoever has it from a registry. */
export class PackedProject extends Folder {
  readonly tarball = join(this.path, `${product.name}-${product.version}.tgz`);

  constructor() {
    super({ 'package.json': '{"type": "module"}', 'policy.yaml': 'kind: Nothing\n' });
  }

  /** There is nothing else to fetch. */
  async install(): Promise<void> {
    const packed = join(this.path, 'packed');
    await run(process.execPath, [join(repository, 'scripts/package.ts'), packed]);
    await this.run('npm', ['pack', packed]);
    await this.run('npm', ['install', '--offline', this.tarball]);
  }

  bin(name: string): string {
    return join(this.path, 'node_modules/.bin', name);
  }

  /** What somebody has who works there: the programs of the package where commands are looked for, and nothing in his home that is not here. */
  environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const { PATH } = process.env;
    return { PATH: `${join(this.path, 'node_modules/.bin')}:${PATH}`, HOME: this.path, ...more };
  }

  run(program: string, argv: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    return run(program, argv, { cwd: this.path });
  }
}
