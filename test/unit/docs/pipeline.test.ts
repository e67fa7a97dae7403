import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { parse } from 'yaml';

import packageJson from '../../../package.json' with { type: 'json' };
import { Folder } from '../cli/folder.ts';
import { filesOf } from './console.ts';
import { Page } from './page.ts';

// Each step starts the tool anew, without a bundle.
jest.setTimeout(120_000);

const page = new Page('docs/pipeline.md');
const root = join(import.meta.dirname, '../../..');
const isInstall = (step: string) => step.includes('npm install');

/** What a forge starts for a step: GitHub has pipefail only where the shell is named, GitLab always. */
const shells = { named: ['-eo', 'pipefail'], unnamed: ['-e'] };

interface Pipeline {
  readonly file: string;
  readonly steps: readonly string[];
  readonly shell: readonly string[];
}

interface OfForge {
  readonly defaults?: { readonly run?: { readonly shell?: string } };
  readonly jobs: { readonly policies: { readonly steps: readonly { readonly run?: string }[] } };
}
interface OfGitLab {
  readonly policies: { readonly before_script: readonly string[]; readonly script: readonly string[] };
}

const pipelines = page.blocks('yaml').map((text): Pipeline => {
  const [, file = ''] = /^# (\S+)\n/.exec(text) ?? [];
  return { file, ...shellAndSteps(parse(text) as OfForge | OfGitLab) };
});

function shellAndSteps(pipeline: OfForge | OfGitLab): Omit<Pipeline, 'file'> {
  if ('policies' in pipeline) {
    const { before_script: before, script } = pipeline.policies;
    return { steps: [...before, ...script], shell: shells.named };
  }
  const { defaults, jobs } = pipeline;
  const shell = defaults?.run?.shell === 'bash' ? shells.named : shells.unnamed;
  return { steps: jobs.policies.steps.flatMap(({ run: step }) => step ?? []), shell };
}

function pipelineOf(file: string): Pipeline {
  const found = pipelines.find((one) => one.file === file);
  if (found === undefined) throw new Error(`the page has no ${file}`);
  return found;
}

let folder: Folder;
beforeEach(() => {
  folder = new Folder({});
  command('keepalive', `exec ${process.execPath} ${join(root, 'src/cli/main.ts')} "$@"`);
  for (const [name, text] of filesOf(new Page('docs/cli.md'))) write(`manifests/${name}`, text);
});
afterEach(() => {
  folder[Symbol.dispose]();
});

function write(name: string, text: string): void {
  const file = join(folder.path, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function command(name: string, script: string): void {
  write(`bin/${name}`, `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder.path, 'bin', name), 0o755);
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
}

function run(script: string, shell: readonly string[] = shells.named): Promise<Ended> {
  const env = { ...process.env, PATH: `${folder.path}/bin:${process.env.PATH}`, NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile('bash', [...shell, '-c', script], { cwd: folder.path, env }, (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout });
    });
  });
}

/** The first step that fails, or the last one; installing is left out. */
async function play(file: string): Promise<Ended> {
  let ended: Ended = { code: 0, stdout: '' };
  const { steps, shell } = pipelineOf(file);
  for (const step of steps.filter((one) => !isInstall(one))) {
    ended = await run(step, shell);
    if (ended.code !== 0) break;
  }
  return ended;
}

const policies = () => filesOf(new Page('docs/cli.md')).get('policies.yaml') ?? '';
const slip = () => {
  write('manifests/policies.yaml', policies().replace(': 90', ': 90s'));
};

test.each([...filesOf(page)])('%s runs on a Node that the tool takes', (_file, text) => {
  const [before = ''] = text.split('npm install');
  const [, major] = /(?:node-version: |image: node:)(\d+)/.exec(before) ?? [];
  const [, oldest] = /for Node (\d+)\.\d+ or later/.exec(new Page('docs/cli.md').text) ?? [];
  expect(Number(major)).toBeGreaterThanOrEqual(Number(oldest));
});

describe.each(pipelines)('$file', ({ steps, shell }) => {
  const archive = `keepalive-operator-npm-${packageJson.version}.tgz`;
  const content = 'as the release has it';
  const sha256 = createHash('sha256').update(content).digest('hex');
  const install = steps.find(isInstall) ?? '';
  /** As a pipeline whose release serves this. */
  const installs = async (served: string) => {
    command(
      'curl',
      `[ "$*" = "-fsSLO https://release.example/${archive}" ] && printf '%s' '${served}' > ${archive}`,
    );
    command('npm', 'echo "$*" > installed');
    const text = install.replace('RELEASE', 'https://release.example').replace('SHA256', sha256);
    const { code } = await run(text, shell);
    return [code, (await run('cat installed')).stdout];
  };

  test('installs the tool of this version from the file of a release, and by no name', async () => {
    expect(await installs(content)).toEqual([0, `install --global ./${archive}\n`]);
  });

  test('installs no file that is another one', async () => {
    expect(await installs('as somebody else has it')).toEqual([1, '']);
  });
});

describe('the workflow of a forge', () => {
  const file = '.github/workflows/keepalive.yaml';

  test('fails where manifests are behind their policies, and passes once they are written', async () => {
    const before = await play(file);
    expect(before.code).toBe(1);
    expect(before.stdout).toContain('+          - name: net.ipv4.tcp_keepalive_time');
    await run('keepalive render --write -f manifests');
    expect((await play(file)).code).toBe(0);
  });

  test('fails at a slip, with an annotation on its line', async () => {
    slip();
    const { code, stdout } = await play(file);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^::error file=manifests\/policies\.yaml,line=8,/m);
  });

  describe('judges an overlay', () => {
    const overlay = '.github/workflows/keepalive-overlay.yaml';
    /** What builds the overlay is no part of this: it prints the two files, and may end badly. */
    const kubectl = (script: string) => {
      command('kubectl', script);
    };
    const print = "sed 's/^# app.yaml/---/' manifests/policies.yaml manifests/app.yaml";

    test('as what it becomes', async () => {
      kubectl(print);
      expect((await play(overlay)).code).toBe(0);
      slip();
      expect(await play(overlay)).toEqual({
        code: 1,
        stdout: expect.stringMatching(/^::error file=<stdin>/),
      });
    });

    test('and fails where it cannot be built, whatever was printed before', async () => {
      kubectl(`${print}; exit 1`);
      expect((await play(overlay)).code).toBe(1);
      kubectl('exit 1');
      expect((await play(overlay)).code).not.toBe(0);
    });
  });
});

test('the pipeline with SARIF fails at a slip, and keeps the report', async () => {
  expect((await play('.gitlab-ci.yml')).code).toBe(0);
  slip();
  expect((await play('.gitlab-ci.yml')).code).toBe(1);
  expect((await run('cat keepalive.sarif')).stdout).toContain('"ruleId": "refused"');
});

describe('the hook', () => {
  beforeEach(() => {
    execFileSync('git', ['init', '-q'], { cwd: folder.path });
    const [hook = ''] = page.blocks('sh');
    write('.git/hooks/pre-commit', hook);
    chmodSync(join(folder.path, '.git/hooks/pre-commit'), 0o755);
    write('.gitignore', 'bin\n');
  });
  const commit = () =>
    run('git -c user.name=somebody -c user.email=somebody@example.org commit -qm message 2>&1');

  test('lets pass what is fine, and what has nothing to do with it', async () => {
    await run('git add manifests');
    expect(await commit()).toMatchObject({ code: 0 });
    slip();
    await run('git add .gitignore');
    expect(await commit()).toMatchObject({ code: 0 });
  });

  test('lets pass a commit that takes the last of them away', async () => {
    await run('git add manifests');
    await commit();
    await run('git rm -qr manifests');
    expect(await commit()).toMatchObject({ code: 0 });
  });

  test('stops a slip that is staged, whatever lies there', async () => {
    slip();
    await run('git add manifests');
    write('manifests/policies.yaml', policies());
    const { code, stdout } = await commit();
    expect(code).toBe(1);
    expect(stdout).toContain('[refused]');
  });
});
