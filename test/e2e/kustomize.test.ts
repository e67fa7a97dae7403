import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import { sysctls } from '../support/builder.ts';
import { kustomizeProgram } from '../support/kustomize.ts';
import { Folder } from '../unit/cli/folder.ts';
import { Page } from '../unit/docs/page.ts';

const root = join(import.meta.dirname, '../..');

/** What docs/cli.md shows as a file of this name. */
function shown(name: string): string {
  const found = new Page('docs/cli.md').blocks('yaml').find((block) => block.startsWith(`# ${name}`));
  if (found === undefined) throw new Error(`docs/cli.md shows no ${name}`);
  return found;
}

interface Built {
  readonly kind: string;
  readonly spec?: { readonly template?: { readonly spec?: object } };
}

test('kustomize runs keepalive render as the page says, and hands on what it makes', async () => {
  const names = ['policies.yaml', 'app.yaml', 'kustomization.yaml', 'keepalive.yaml'];
  using folder = new Folder(Object.fromEntries(names.map((name) => [name, shown(name)])));
  folder.write(
    'bin/keepalive',
    `#!/bin/sh\nexec ${process.execPath} ${join(root, 'src/cli/main.ts')} "$@"\n`,
  );
  chmodSync(join(folder.path, 'bin/keepalive'), 0o755);
  const env = { ...process.env, PATH: `${join(folder.path, 'bin')}:${process.env.PATH}` };
  const run = async () => {
    const argv = ['build', '--enable-alpha-plugins', '--enable-exec', folder.path];
    const { stdout } = await promisify(execFile)(await kustomizeProgram(), argv, { env, cwd: folder.path });
    return parseAllDocuments(stdout).map((document) => document.toJS() as Built);
  };

  const built = await run();
  expect(built.map(({ kind }) => kind).sort()).toEqual(['Deployment', 'KeepalivePolicy']);
  const deployment = built.find(({ kind }) => kind === 'Deployment');
  expect(deployment?.spec?.template?.spec).toMatchObject({ securityContext: { sysctls: sysctls() } });

  folder.write('policies.yaml', shown('policies.yaml').replace(': 90', ': 90s'));
  await expect(run()).rejects.toThrow('idleTimeoutSeconds is a whole number of seconds without a unit');
}, 600_000);
