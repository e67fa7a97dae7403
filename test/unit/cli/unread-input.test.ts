import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { describe, expect, jest, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { deployment, policy, yaml } from './manifests.ts';

const policies = yaml(policy());
const app = yaml(deployment());
const told = (found: string) =>
  `${found} was found in this folder, and standard input was not read: add \`-f -\` to read it\n`;

describe('what is piped in and not read is told of, and changes nothing else', () => {
  test.each<[string, string[], Record<string, string>]>([
    ['without a policy to check', ['check'], { 'app.yaml': app }],
    ['without any manifest', ['check', '--strict', '-o', 'json'], {}],
    ['without anything to compare', ['render', '--diff'], {}],
    ['without policies to compare by', ['render', '--diff'], { 'app.yaml': app }],
    ['without templates to compare', ['render', '--diff'], { 'policies.yaml': policies }],
    [
      'without templates beside policies that are elsewhere',
      ['render', '--diff', '-p', 'platform/policies.txt'],
      { 'platform/policies.txt': policies },
    ],
  ])('%s', async (_sentence, argv, files) => {
    using folder = new Folder(files);
    const cwd = folder.path;
    const alone = await keepalive(argv, { cwd });
    expect(alone).toMatchObject({ code: 0, stderr: '' });
    const found = argv[0] === 'check' ? 'no policy' : 'nothing to render';
    expect(await keepalive(argv, { cwd, stdin: policies })).toEqual({ ...alone, stderr: told(found) });
  });
});

describe('nothing is told where', () => {
  const here = { 'policies.yaml': policies, 'app.yaml': app };
  const refused = { 'policies.yaml': yaml(policy({ mode: 'Dry' })) };

  test.each<[string, string[], Record<string, string>, number]>([
    ['a folder was named', ['check', '-f', '.'], {}, 0],
    ['it was read', ['check', '-f', '-'], {}, 0],
    ['there was something to check', ['check'], here, 0],
    ['there was something to refuse', ['check'], refused, 1],
    ['there was something to compare', ['render', '--diff'], here, 1],
    ['a folder to compare was named', ['render', '--diff', '-f', '.'], {}, 0],
    ['it was rendered', ['render'], {}, 0],
  ])('%s', async (_sentence, argv, files, code) => {
    using folder = new Folder(files);
    expect(await keepalive(argv, { cwd: folder.path, stdin: policies })).toMatchObject({ code, stderr: '' });
  });
});

describe('for something that is piped in is taken', () => {
  const main = join(import.meta.dirname, '../../../src/cli/main.ts');
  const command = `${process.execPath} --disable-warning=ExperimentalWarning ${main} check`;

  /** By a shell, which makes real pipes: those that Node makes for a child are sockets. */
  async function shell(script: string, cwd: string) {
    const child = spawn('sh', ['-c', script], { cwd, stdio: 'pipe' });
    const ended = once(child, 'close');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = (await ended) as [number | null];
    return { code, stdout, stderr };
  }

  // Each starts the tool anew.
  jest.setTimeout(60_000);

  test.each<[string, string, string]>([
    ['a pipe', `echo x | ${command}`, told('no policy')],
    // Read, it would never end.
    ['a pipe that stays open', `mkfifo p; exec 3<> p; ${command} <&3`, told('no policy')],
    ['a file', `${command} < full`, told('no policy')],
    ['no empty file', `${command} < empty`, ''],
    ['not /dev/null', `${command} < /dev/null`, ''],
    ['no socket', command, ''],
    ['nothing where it is closed', `${command} <&-`, ''],
  ])('%s', async (_sentence, script, stderr) => {
    using folder = new Folder({ full: policies, empty: '' });
    const stdout = 'nothing to remark: 0 valid policies and 0 pod templates in 0 files\n';
    expect(await shell(script, folder.path)).toEqual({ code: 0, stdout, stderr });
  });
});
