import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { policy, yaml } from './manifests.ts';
import { behind90 } from './rendered.ts';

const app = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: db}\nspec:\n  containers: []\n';

/** As somebody who may not read and write everything, which root may. */
async function unprivileged<T>(run: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65_534);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}

/** Like keepalive(), with all that it loads loaded by the one who may. */
async function asAnybody(argv: readonly string[], folder: Folder) {
  const other = { stdin: `${behind90}---\n${app}` };
  await keepalive(['check', '-f', '-'], other);
  await keepalive(['render', '-f', '-'], other);
  chmodSync(folder.path, 0o755);
  return unprivileged(() => keepalive(argv, { cwd: folder.path }));
}

describe.each(['check', 'render'])('keepalive %s ends with 2', (command) => {
  test('for a link to itself, named or in a folder', async () => {
    using folder = new Folder({ 'app.yaml': app });
    symlinkSync('loop.yaml', join(folder.path, 'loop.yaml'));
    for (const argv of [
      ['-f', 'loop.yaml'],
      ['-f', '.'],
    ]) {
      const { code, stdout, stderr } = await keepalive([command, ...argv], { cwd: folder.path });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(
        'loop.yaml: it cannot be read (ELOOP): it is a link that leads back to itself',
      );
    }
  });

  test('for a file below a file', async () => {
    using folder = new Folder({ 'app.yaml': app });
    const { code, stderr } = await keepalive([command, '-f', 'app.yaml/x'], { cwd: folder.path });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'error: app.yaml/x: there is no such file or folder\n',
    });
  });

  test.each([
    ['a folder', 'inner', ['-f', 'inner']],
    ['a folder in a folder', 'inner', ['-f', '.']],
    ['what is in a folder', 'inner', ['-f', 'inner/app.yaml']],
    ['a file', 'inner/app.yaml', ['-f', 'inner/app.yaml']],
    ['a file in a folder', 'inner/app.yaml', ['-f', '.']],
  ])('for %s that may not be read', async (_sentence, closed, argv) => {
    using folder = new Folder({ 'inner/app.yaml': app });
    chmodSync(join(folder.path, closed), 0);
    const { code, stdout, stderr } = await asAnybody([command, ...argv], folder);
    chmodSync(join(folder.path, closed), 0o700);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^error: inner(\/app\.yaml)?: it cannot be read \(EACCES\): get the right to read it/,
    );
  });

  test.each<[string, string]>([
    ['brackets that are open', 'a: [\n'],
    ['an alias of nothing', 'a: *nothing\n'],
    ['an anchor that contains itself', 'a: &a { b: *a }\n'],
    ['a merge of what is no map', '<<: 1\n'],
    [
      'aliases of aliases',
      ['a', 'b', 'c', 'd', 'e', 'f', 'g']
        .map(
          (name, at) =>
            `${name}: &${name} [${Array(10)
              .fill(at === 0 ? '1' : `*${'abcdefg'[at - 1]}`)
              .join()}]\n`,
        )
        .join(''),
    ],
  ])('for %s, with all else that is to be said', async (_sentence, broken) => {
    using folder = new Folder({
      'broken.yaml': `apiVersion: v1\nkind: Pod\n${broken}`,
      'dry.yaml': yaml(policy({ mode: 'Dry' })),
    });
    for (const more of command === 'check' ? [[]] : [[], ['--diff'], ['--write']]) {
      const { code, stdout, stderr } = await keepalive([command, '-f', '.', ...more], { cwd: folder.path });
      expect(code).toBe(2);
      expect(stdout + stderr).toMatch(/broken\.yaml:\d+:\d+: error: it cannot be read as YAML: \w/);
      expect(stdout + stderr).toContain(': error: KeepalivePolicy db/behind-the-nat: spec.mode');
    }
  });
});

describe('what is not UTF-8 ends with 2 and keeps its bytes', () => {
  const latin1 = Buffer.from(`${behind90}---\n${app}# für alle\n`, 'latin1');
  const line = latin1.toString('latin1').split('\n').length - 1;
  const words = `:${line}:1: error: it cannot be read as YAML: line ${line} is not UTF-8: save it as UTF-8`;

  test.each(['check -f app.yaml', 'check', 'render -f app.yaml', 'render --diff', 'render --write'])(
    'for keepalive %s',
    async (command) => {
      using folder = new Folder({ 'fine.yaml': '# für alle\n' });
      writeFileSync(join(folder.path, 'app.yaml'), latin1);
      const { code, stdout, stderr } = await keepalive(command.split(' '), { cwd: folder.path });
      expect(code).toBe(2);
      expect(stdout + stderr).toContain(`app.yaml${words}`);
      expect(readFileSync(join(folder.path, 'app.yaml'))).toEqual(latin1);
    },
  );

  test.each(['check', 'render'])('for what is piped into keepalive %s', async (command) => {
    const { code, stdout, stderr } = await keepalive([command, '-f', '-'], { stdin: latin1 });
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(`<stdin>${words}`);
  });

  test('but for what has nothing to do with it', async () => {
    using folder = new Folder({ 'app.yaml': app, 'policies.yaml': behind90 });
    const other = Buffer.from('# für alle\nname: x\n', 'latin1');
    writeFileSync(join(folder.path, 'values.yaml'), other);
    expect(await keepalive(['render', '--write'], { cwd: folder.path })).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder.path, 'values.yaml'))).toEqual(other);
    const { code, stdout } = await keepalive(['render', '-f', 'values.yaml'], { cwd: folder.path });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('and a mark of the byte order is kept', async () => {
    const text = `\uFEFF${behind90}---\n${app}`;
    using folder = new Folder({ 'app.yaml': text });
    expect((await keepalive(['render', '--write'], { cwd: folder.path })).code).toBe(0);
    expect(folder.read('app.yaml')).toMatch(/^\uFEFFapiVersion: [^]*value: "30"/);
    const { stdout } = await keepalive(['render'], { stdin: text });
    expect(stdout).toBe(folder.read('app.yaml'));
  });
});

describe('keepalive render ends with 2', () => {
  test('for a file that it may not write, and says which it has written', async () => {
    using folder = new Folder({
      'a.yaml': app,
      'b.yaml': app.replace('name: a', 'name: b'),
      'p.yaml': behind90,
    });
    chmodSync(join(folder.path, 'a.yaml'), 0o666);
    chmodSync(join(folder.path, 'b.yaml'), 0o444);
    chmodSync(join(folder.path, 'p.yaml'), 0o444);
    const { code, stderr } = await asAnybody(['render', '--write'], folder);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'changed a.yaml\nerror: b.yaml: it cannot be written (EACCES): mend that, and run this again\n',
    );
    expect(folder.read('a.yaml')).toContain('value: "30"');
  });

  test('for a ResourceList that is no YAML', async () => {
    const stdin = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: *nothing\n';
    const { code, stdout, stderr } = await keepalive(['render'], { stdin });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('<stdin>:1:1: error: it cannot be read as YAML: Unresolved alias');
  });

  test('for a ResourceList beside policies that are no YAML', async () => {
    using folder = new Folder({ 'p.yaml': `${behind90}broken: [\n` });
    const stdin = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- ${JSON.stringify({ kind: 'Pod' })}\n`;
    const { code, stderr } = await keepalive(['render', '-f', '-', '-p', 'p.yaml'], {
      stdin,
      cwd: folder.path,
    });
    expect(code).toBe(2);
    expect(stderr).toContain('p.yaml');
  });
});
