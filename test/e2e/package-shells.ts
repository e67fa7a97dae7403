import { beforeAll, describe, expect, test } from '@jest/globals';

import { run, runOrThrow } from '../cluster/command.ts';
import { prepare, provide } from '../cluster/prepare.ts';
import { unpacked } from '../cluster/unpacked.ts';
import type { PackedProject } from './packed-project.ts';

const shells = unpacked('shells', ['zsh', 'fish']);
/** Runs what follows where these shells are at their usual paths. */
const withShells = [
  ...['unshare', '--mount', 'sh', '-c'],
  ...['mount -t overlay -o lowerdir="$0":/usr overlay /usr && exec "$@"', `${shells.folder}/usr`],
];

/** The package as people have it: at a terminal, in a shell that completes, as a plugin of kubectl. */
export function describeShells(project: PackedProject): void {
  /** What a terminal shows of a command line, and of what somebody types into it. */
  const shown = async (line: string, { env = {}, typed = '', by = [] }: Session = {}) => {
    const { stdout } = await run([...by, 'script', '-qec', line, '/dev/null'], {
      ...{ cwd: project.path, stdin: typed },
      env: project.environment({ TERM: 'xterm', ...env }),
    });
    return stdout;
  };

  describe('colours are', () => {
    const derive = 'keepalive derive --timeout 90s';
    const mistake = 'keepalive help nothing';

    test.each<[string, string, NodeJS.ProcessEnv?]>([
      ['on a terminal', derive],
      ['on a terminal, of what is wrong', mistake],
      ['where they are forced, in a pipe', `${derive} | cat`, { FORCE_COLOR: '1' }],
      ['of what is wrong, whatever goes into a pipe', `${mistake} | cat`],
    ])('%s', async (_where, line, env = {}) => {
      expect(await shown(line, { env })).toContain('\u001B[');
    });

    test.each<[string, string, NodeJS.ProcessEnv?]>([
      ['in a pipe', `${derive} | cat`],
      ['where NO_COLOR is set', derive, { NO_COLOR: '1' }],
      ['on a terminal without any', derive, { TERM: 'dumb' }],
      ['where they are forbidden by FORCE_COLOR', derive, { FORCE_COLOR: '0' }],
      ['in a file of what is wrong', `${mistake} 2> said; cat said`],
    ])('not %s', async (_where, line, env = {}) => {
      const text = await shown(line, { env });
      expect(text).toMatch(/net\.ipv4\.tcp_keepalive_time {3}= 30|error: there is no command/);
      expect(text).not.toContain('\u001B');
    });
  });

  describe('the TAB key', () => {
    beforeAll(async () => {
      await provide({ unpacked: [shells] }, undefined);
      // Without it fish has every man page of this machine read, behind the back of who types.
      project.write('.local/share/fish/generated_completions/none', '');
    }, 600_000);

    test.each([
      ['bash', ''],
      ['zsh', 'autoload -Uz compinit && compinit\n'],
      ['fish', ''],
    ])(
      'completes commands, options, their values and files in %s',
      async (shell, before) => {
        const help = await runOrThrow(['keepalive', 'completion', '--help'], { env: project.environment() });
        const line = new RegExp(`^ {2}(.*completion ${shell}\\b.*?) {2,}in ~/([^ ,\\n]+)`, 'm').exec(help);
        const [, source = '', file = ''] = line ?? [];
        // Twice, as of who reads the file anew after a change.
        project.write(file, `${before}${source}\n${source}\n`);
        const text = await shown(`${shell} -i`, {
          by: withShells,
          env: { TERM: 'dumb' },
          typed: [
            'keepalive der\t--pres\taws-nlb-t\t-o do\t',
            'keepalive derive -p aws-nlb-t\t --output=sysct\t',
            'keepalive check -f pol\t',
            'exit',
          ]
            .join('\n')
            .concat('\n'),
        });
        expect(text).toContain('--sysctl net.ipv4.tcp_keepalive_time=116 ');
        expect(text).toContain('net.ipv4.tcp_keepalive_time = 116');
        expect(text).toContain('nothing to remark: 0 valid policies');
        expect(text).not.toMatch(/error|not found|readonly/i);
      },
      60_000,
    );
  });

  describe('kubectl', () => {
    let env: NodeJS.ProcessEnv;
    beforeAll(async () => {
      const { programs } = await prepare({ kubernetes: undefined });
      const { PATH, ...others } = project.environment();
      env = { ...others, PATH: [PATH, ...programs].join(':') };
    }, 600_000);
    const kubectl = (...argv: string[]) => runOrThrow(['kubectl', ...argv], { cwd: project.path, env });

    test('runs it as a plugin', async () => {
      expect(await kubectl('keepalive', 'derive', '--timeout', '90s', '--output', 'docker')).toContain(
        '--sysctl net.ipv4.tcp_keepalive_time=30 ',
      );
    });

    test.each([
      [['der'], ['derive\tthe three values for a path, why, and what each failure looks like', ':4']],
      [
        ['derive', '--preset', 'aws-nlb-'],
        ['aws-nlb-tls', ':4'],
      ],
      [['check', '--filename', ''], [':0']],
    ])('completes %j by it', async (words, lines) => {
      expect((await kubectl('__complete', 'keepalive', ...words)).trimEnd().split('\n')).toEqual(lines);
    });
  });
}

interface Session {
  readonly env?: NodeJS.ProcessEnv;
  readonly typed?: string;
  /** What it is run by. */
  readonly by?: readonly string[];
}
