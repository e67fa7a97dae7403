import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { deployment, policy, yaml } from './manifests.ts';

const refused = yaml(policy({ mode: 'Dry' }));
const words = 'KeepalivePolicy db/behind-the-nat: spec.mode: Unsupported value: "Dry"';
const app = yaml(deployment());

/** As `>` of PowerShell writes it, and with the other order of bytes. */
const little = (text: string) => Buffer.from(`\uFEFF${text.replaceAll('\n', '\r\n')}`, 'utf16le');
const big = (text: string) => little(text).swap16();

describe.each([
  ['little', little],
  ['big', big],
])('what is UTF-16, the %s end first, is read as kubectl reads it', (_end, encoded) => {
  function folderWith(files: Readonly<Record<string, Buffer>>): Folder {
    const folder = new Folder({});
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder.path, name), bytes);
    return folder;
  }

  test.each([
    'check',
    'check -f policies.yaml',
    'render --diff -f policies.yaml',
    'render -f policies.yaml',
    'render -f app.yaml -p policies.yaml',
    'render --write -f app.yaml -p policies.yaml',
  ])('what is refused, by keepalive %s', async (command) => {
    using folder = folderWith({ 'policies.yaml': encoded(refused), 'app.yaml': Buffer.from(app) });
    const { code, stdout, stderr } = await keepalive(command.split(' '), { cwd: folder.path });
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/policies\.yaml:\d+:\d+: error: /);
    expect(stdout + stderr).toContain(words);
  });

  test.each(['check -f -', 'render', 'render --diff -f -'])(
    'what is refused and piped into keepalive %s',
    async (command) => {
      const { code, stdout, stderr } = await keepalive(command.split(' '), { stdin: encoded(refused) });
      expect(code).toBe(1);
      expect(stdout + stderr).toContain(words);
    },
  );

  test('nothing, where nothing is said', async () => {
    const { code, stderr } = await keepalive(['check', '-f', '-'], { stdin: encoded('# nothing\n') });
    expect([code, stderr]).toEqual([2, expect.stringContaining('nothing came in on standard input')]);
  });

  test('workloads, which are written out as UTF-8, and not back into their file', async () => {
    const files = { 'app.yaml': encoded(app), 'policies.yaml': encoded(yaml(policy())) };
    using folder = folderWith({ ...files, 'a.yaml': Buffer.from(app) });
    const { code, stdout } = await keepalive(['render', '-f', 'app.yaml', '-p', 'policies.yaml'], {
      cwd: folder.path,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^apiVersion: apps\/v1\r\n[^]*value: "30"/);
    const written = await keepalive(['render', '--write'], { cwd: folder.path });
    expect([written.code, written.stderr]).toEqual([
      2,
      'error: app.yaml: it is UTF-16: save it as UTF-8, and run this again\n',
    ]);
    for (const [name, bytes] of [...Object.entries(files), ['a.yaml', Buffer.from(app)] as const])
      expect(readFileSync(join(folder.path, name))).toEqual(bytes);
  });

  test('policies, beside what is written', async () => {
    using folder = folderWith({ 'app.yaml': Buffer.from(app), 'policies.yaml': encoded(yaml(policy())) });
    expect(await keepalive(['render', '--write'], { cwd: folder.path })).toMatchObject({ code: 0 });
    expect(folder.read('app.yaml')).toContain('value: "30"');
  });
});
