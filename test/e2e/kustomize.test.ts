import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';

import { run as runToEnd } from '../cluster/command.ts';
import { prepare } from '../cluster/prepare.ts';
import { sysctls } from '../support/builder.ts';
import { kustomizeProgram } from '../support/kustomize.ts';
import { Folder } from '../unit/cli/folder.ts';
import { filesOf } from '../unit/docs/console.ts';
import { Page } from '../unit/docs/page.ts';

const root = join(import.meta.dirname, '../..');

/** What docs/cli.md shows as a file of this name. */
function shown(name: string): string {
  const found = new Page('docs/cli.md').blocks('yaml').find((block) => block.startsWith(`# ${name}`));
  if (found === undefined) throw new Error(`docs/cli.md shows no ${name}`);
  return found;
}

interface Plugin {
  readonly spec: {
    readonly discover: { readonly fileName: string };
    readonly generate: { readonly command: readonly string[]; readonly args: readonly string[] };
  };
}

interface Workflow {
  readonly jobs: { readonly policies: { readonly steps: readonly { readonly run?: string }[] } };
}

interface Built {
  readonly kind: string;
  readonly spec?: { readonly template?: { readonly spec?: object } };
}

/** Puts the tool, of this build, and more beside it, where commands are looked for. */
function withTool(folder: Folder, more = ''): NodeJS.ProcessEnv {
  folder.write(
    'bin/keepalive',
    `#!/bin/sh\nexec ${process.execPath} ${join(root, 'src/cli/main.ts')} "$@"\n`,
  );
  chmodSync(join(folder.path, 'bin/keepalive'), 0o755);
  return { ...process.env, PATH: `${join(folder.path, 'bin')}:${more}:${process.env.PATH}` };
}

const builtOf = (text: string) => parseAllDocuments(text).map((document) => document.toJS() as Built);
const podOf = (built: readonly Built[]) =>
  built.find(({ kind }) => kind === 'Deployment')?.spec?.template?.spec;

test('kustomize runs keepalive render as the page says, and hands on what it makes', async () => {
  const names = ['policies.yaml', 'app.yaml', 'kustomization.yaml', 'keepalive.yaml'];
  using folder = new Folder(Object.fromEntries(names.map((name) => [name, shown(name)])));
  const env = withTool(folder);
  const run = async () => {
    const argv = ['build', '--enable-alpha-plugins', '--enable-exec', folder.path];
    const { stdout } = await promisify(execFile)(await kustomizeProgram(), argv, { env, cwd: folder.path });
    return builtOf(stdout);
  };

  const built = await run();
  expect(built.map(({ kind }) => kind).sort()).toEqual(['Deployment', 'KeepalivePolicy']);
  expect(podOf(built)).toMatchObject({ securityContext: { sysctls: sysctls() } });

  folder.write('policies.yaml', shown('policies.yaml').replace(': 90', ': 90s'));
  await expect(run()).rejects.toThrow('idleTimeoutSeconds is a whole number of seconds without a unit');
}, 600_000);

test('the plugin of docs/argocd.md gives Argo CD manifests that carry the values, and fails where kustomize does', async () => {
  const { spec } = parse(filesOf(new Page('docs/argocd.md')).get('plugin.yaml') ?? '') as Plugin;
  using folder = new Folder({
    ...Object.fromEntries(['policies.yaml', 'app.yaml'].map((name) => [name, shown(name)])),
    [spec.discover.fileName]: 'resources: [policies.yaml, app.yaml]\n',
  });
  // As Argo CD gives it: the destination of the Application, which is where what names no namespace goes.
  const env = { ...withTool(folder, dirname(await kustomizeProgram())), ARGOCD_APP_NAMESPACE: 'db' };
  const [program = '', ...argv] = [...spec.generate.command, ...spec.generate.args];
  const generate = () => promisify(execFile)(program, argv, { env, cwd: folder.path });

  const built = builtOf((await generate()).stdout);
  expect(built.map(({ kind }) => kind).sort()).toEqual(['Deployment', 'KeepalivePolicy']);
  expect(podOf(built)).toMatchObject({ securityContext: { sysctls: sysctls() } });

  folder.write('app.yaml', shown('app.yaml').replace('  namespace: db\n', ''));
  expect(podOf(builtOf((await generate()).stdout))).toMatchObject({
    securityContext: { sysctls: sysctls() },
  });

  folder.write(spec.discover.fileName, 'resources: [policies.yaml, absent.yaml]\n');
  await expect(generate()).rejects.toThrow('absent.yaml');
}, 600_000);

test('the workflow of docs/pipeline.md judges what kubectl makes of an overlay, and fails where it makes nothing', async () => {
  const workflow = parse(
    filesOf(new Page('docs/pipeline.md')).get('.github/workflows/keepalive-overlay.yaml') ?? '',
  ) as Workflow;
  const step =
    workflow.jobs.policies.steps.find(({ run }) => run?.startsWith('kubectl kustomize'))?.run ?? '';
  using folder = new Folder({
    ...Object.fromEntries(['policies.yaml', 'app.yaml'].map((name) => [`base/${name}`, shown(name)])),
    'base/kustomization.yaml': 'resources: [policies.yaml, app.yaml]\n',
    'overlays/production/kustomization.yaml': 'namespace: live\nresources: [../../base]\n',
  });
  const { programs } = await prepare({ kubernetes: undefined });
  const env = withTool(folder, programs.join(':'));
  // As a step runs whose shell is named.
  const check = () => runToEnd(['bash', '-eo', 'pipefail', '-c', step], { cwd: folder.path, env });

  expect(await check()).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^::notice file=<stdin>,.*KeepalivePolicy live\/behind-the-nat/),
  });

  folder.write('base/policies.yaml', shown('policies.yaml').replace(': 90', ': 90s'));
  expect(await check()).toMatchObject({ code: 1, stdout: expect.stringMatching(/^::error file=<stdin>/) });

  folder.write('base/kustomization.yaml', 'resources: [absent.yaml]\n');
  expect(await check()).toMatchObject({ code: 2, stderr: expect.stringContaining('absent.yaml') });
}, 600_000);
