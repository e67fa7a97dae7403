import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { behind90 } from './rendered.ts';

const app = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: db}\nspec:\n  containers: []\n';
/** What wipes the screen, and a line that passes for one of the tool's own. */
const evil = '\u001B[2J\nall is well';
const ordersTerminal = /[^\n\P{C}]/u;

describe('a name that somebody else gave moves no cursor, and makes no line', () => {
  test('to a file that is changed', async () => {
    using folder = new Folder({ [`app${evil}.yaml`]: app, 'policies.yaml': behind90 });
    const { code, stderr } = await keepalive(['render', '--write'], { cwd: folder.path });
    expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 0, lines: 2 });
    expect(stderr).not.toMatch(ordersTerminal);
  });

  test('to a link that leads nowhere', async () => {
    using folder = new Folder({});
    symlinkSync('nowhere', join(folder.path, `dead${evil}.yaml`));
    const { code, stderr } = await keepalive(['check'], { cwd: folder.path });
    expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 2, lines: 2 });
    expect(stderr).not.toMatch(ordersTerminal);
  });

  test('to what is not there', async () => {
    const { code, stderr } = await keepalive(['check', '-f', `no${evil}.yaml`]);
    expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 2, lines: 2 });
    expect(stderr).not.toMatch(ordersTerminal);
  });

  test('to a key of a functionConfig', async () => {
    const list = { apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items: [] };
    const stdin = JSON.stringify({ ...list, functionConfig: { data: { [evil]: 'x' } } });
    const { code, stderr } = await keepalive(['render'], { stdin });
    expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 2, lines: 2 });
    expect(stderr).not.toMatch(ordersTerminal);
  });
});

test('of a file whose name is not UTF-8 it is said that the name is what has to be mended', async () => {
  using folder = new Folder({});
  writeFileSync(
    Buffer.concat([Buffer.from(`${folder.path}/bad`), Buffer.from([0xff]), Buffer.from('.yaml')]),
    app,
  );
  const { code, stderr } = await keepalive(['check'], { cwd: folder.path });
  expect(code).toBe(2);
  expect(stderr).toContain('its name is not UTF-8: give it another');
});

test.each([
  ['patch', ['-p1', '--dry-run']],
  ['git', ['apply', '--check', '-']],
])('a difference of a file whose name has spaces is what %s takes', async (program, args) => {
  using folder = new Folder({ 'an app.yaml': app, 'policies.yaml': behind90 });
  const { code, stdout } = await keepalive(['render', '--diff'], { cwd: folder.path });
  expect(code).toBe(1);
  const applied = () => execFileSync(program, args, { cwd: folder.path, input: stdout, stdio: 'pipe' });
  expect(applied).not.toThrow();
});

test.each(['--diff', '--write'])(
  'a ResourceList is not shown as rendered with %s, which it is not',
  async (flag) => {
    const list = { apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items: [] };
    using folder = new Folder({ 'list.yaml': JSON.stringify(list) });
    const { code, stdout, stderr } = await keepalive(['render', flag, '-f', 'list.yaml'], {
      cwd: folder.path,
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('list.yaml: a ResourceList is what a KRM function is handed');
  },
);
