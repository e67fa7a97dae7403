import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { behind90 } from './rendered.ts';

const app = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: db}\nspec:\n  containers: []\n';

describe('keepalive render reads a file once', () => {
  test.each<[string, string[]]>([
    ['the policies are in the folder that is rendered', ['-p', 'policies.yaml']],
    ['one folder has both', ['-f', '.', '-p', '.']],
    ['it is named twice', ['-f', 'app.yaml', '-f', './policies.yaml', '-p', 'policies.yaml']],
    ['the policies are named by a link', ['-f', '.', '-p', 'link']],
  ])('where %s', async (_sentence, argv) => {
    using folder = new Folder({ 'app.yaml': app, 'policies.yaml': behind90 });
    symlinkSync('policies.yaml', join(folder.path, 'link'));
    const { code, stdout, stderr } = await keepalive(['render', '--diff', ...argv], { cwd: folder.path });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain('+++ b/app.yaml\n');
  });

  test('also standard input, which has nothing a second time', async () => {
    const stdin = `${behind90}---\n${app}`;
    const { code, stdout, stderr } = await keepalive(['render', '-f', '-', '-p', '-'], { stdin });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('value: "30"');
  });

  test('that is named beside its folder, and is then no template to pass over', async () => {
    using folder = new Folder({ 'app.yaml': app, 'chart.yaml': 'kind: Pod\n{{ if }}\na: [\n' });
    const found = await keepalive(['render'], { cwd: folder.path });
    expect(found.code).toBe(0);
    for (const other of [
      ['-f', 'chart.yaml'],
      ['-p', 'chart.yaml'],
    ])
      expect(await keepalive(['render', '-f', '.', ...other], { cwd: folder.path })).toMatchObject({
        code: 2,
      });
  });
});
