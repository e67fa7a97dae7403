import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { parseYaml } from '../../../src/cli/yaml-text.ts';
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

describe('keepalive render of a folder writes', () => {
  const jq = (...names: string[]) =>
    names
      .map((name) => `${JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name } })}\n`)
      .join('');
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } };

  test.each<[string, string, string]>([
    ['JSON in one line', 'app.json', `${JSON.stringify(service)}\n`],
    ['YAML in one line', 'app.yaml', '{kind: Service, metadata: {name: a}, apiVersion: v1}\n'],
    ['keys in quotes', 'app.yml', "'kind': Service\n'apiVersion': v1\nmetadata: {name: a}\n"],
    ['a kind behind an anchor', 'app.yaml', '&a apiVersion: v1\nkind: &kind Service\nmetadata: {name: a}\n'],
    [
      'a list of one kind',
      'app.json',
      `${JSON.stringify({ apiVersion: 'v1', kind: 'ServiceList', items: [{ metadata: { name: 'a' } }] })}\n`,
    ],
    ['a second document', 'app.yaml', `# nothing\n---\n${JSON.stringify(service)}\n`],
  ])('what is a manifest: %s', async (_sentence, name, text) => {
    using folder = new Folder({ [name]: text, 'z.yaml': app });
    const { code, stdout } = await keepalive(['render', '-f', '.'], { cwd: folder.path });
    const lead = text.startsWith('{') ? '---\n' : '';
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${lead}${text}---\n${app}` });
  });

  test.each<[string, Record<string, string>]>([
    ['before YAML', { 'a.json': jq('a', 'b'), 'b.yaml': app }],
    ['behind YAML', { 'a.yaml': app, 'b.json': jq('a', 'b') }],
    ['behind other JSON', { 'a.json': jq('a'), 'b.json': `${jq('b', 'c').trim()} ${jq('d')}` }],
    ['with a mark of its byte order', { 'a.json': `\uFEFF${jq('a', 'b')}`, 'b.yaml': app }],
  ])(
    'one document between two lines of --- where several JSON stand in a file, %s',
    async (_sentence, files) => {
      using folder = new Folder(files);
      const { code, stdout } = await keepalive(['render', '-f', '.'], { cwd: folder.path });
      expect(code).toBe(0);
      // kubectl before 1.33 takes a stream that starts with a brace for JSON up to its end.
      expect(stdout).not.toMatch(/^\s*\{/);
      const parts = stdout.split(/^---\n/m).filter((part) => part !== '');
      expect(parts.map((part) => parseYaml(part).documents.length)).toEqual(parts.map(() => 1));
      const names = Object.values(files)
        .join('')
        .match(/"?name"?: ?"?\w+/g);
      expect(stdout.match(/"?name"?: ?"?\w+/g)).toEqual(names);
      expect(parts).toHaveLength(names?.length ?? 0);
    },
  );

  test('the spaces at the end of a text, and the line end that it lacks', async () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  b: |\n    echo "a"  ';
    using folder = new Folder({ 'a.yaml': text, 'z.yaml': app });
    const { stdout } = await keepalive(['render', '-f', '.'], { cwd: folder.path });
    expect(stdout).toBe(`${text}\n---\n${app}`);
  });

  test.each<[string, string]>([
    ['of something else', 'name: x\n'],
    ['with a version further in', 'rules:\n  apiVersion: v1\n  kind: Pod\n'],
    ['with a manifest in a text', 'example: |\n  apiVersion: v1\n  kind: Pod\n'],
    ['of nothing', '# apiVersion: v1\n'],
  ])('no text %s', async (_sentence, text) => {
    using folder = new Folder({ 'app.yaml': text, 'z.yaml': app });
    const found = await keepalive(['render', '-f', '.'], { cwd: folder.path });
    expect(found.stdout).toBe(app);
    const named = await keepalive(['render', '-f', 'app.yaml', '-f', '.'], { cwd: folder.path });
    expect(named.stdout).toBe(`${text}---\n${app}`);
  });

  test('nothing of a template that it passes over, and changes nothing there', async () => {
    const template = `${app}---\napiVersion: v1\n{{- if .Values.x }}\na: [\n`;
    using folder = new Folder({ 'chart.yaml': template, 'p.yaml': behind90 });
    const { code, stdout, stderr } = await keepalive(['render', '-f', '.'], { cwd: folder.path });
    expect({ code, stdout }).toEqual({ code: 0, stdout: behind90 });
    expect(stderr).toMatch(/^chart\.yaml:\d+: passed over: it is a template/);
    expect((await keepalive(['render', '--write'], { cwd: folder.path })).code).toBe(0);
    expect(folder.read('chart.yaml')).toBe(template);
    const checked = await keepalive(['check'], { cwd: folder.path });
    expect(checked.stdout).toContain('1 valid policy and 1 pod template in 2 files');
  });

  test('all of it or nothing: what cannot be read is told of, whatever it is', async () => {
    const files = { 'a.yaml': app, 'service.yaml': 'apiVersion: v1\nkind: Service\nspec: [\n' };
    using folder = new Folder(files);
    const { code, stdout, stderr } = await keepalive(['render', '-f', '.'], { cwd: folder.path });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('service.yaml:4:1: error: it cannot be read as YAML');
    expect((await keepalive(['render', '--diff'], { cwd: folder.path })).code).toBe(0);
    const beside = await keepalive(['render', '-f', 'a.yaml', '-p', '.'], { cwd: folder.path });
    expect(beside).toEqual({ code: 0, stdout: app, stderr: '' });
    folder.write('service.yaml', 'apiVersion: v1\nkind: Service\n{{- if }}\nspec: [\n');
    const passed = await keepalive(['render', '-f', '.'], { cwd: folder.path });
    expect({ code: passed.code, stdout: passed.stdout }).toEqual({ code: 0, stdout: app });
    expect(passed.stderr).toContain('service.yaml:3: passed over: it is a template');
  });
});

test('a difference of files elsewhere is a patch that git applies', async () => {
  using folder = new Folder({ 'app.yaml': app, 'policies.yaml': behind90 });
  using elsewhere = new Folder({});
  const { code, stdout } = await keepalive(['render', '--diff', '-f', folder.path], { cwd: elsewhere.path });
  expect(code).toBe(1);
  elsewhere.write('patch', stdout);
  execFileSync('git', ['apply', join(elsewhere.path, 'patch')], { cwd: '/' });
  expect(folder.read('app.yaml')).toContain('value: "30"');
});
