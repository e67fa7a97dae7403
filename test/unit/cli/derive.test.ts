import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';

import { derive } from '../../../src/api/derive.ts';
import { presetNames, presets } from '../../../src/api/presets.ts';
import { giveUpSeconds, kernelDefaults, latestSecondProbe } from '../../../src/api/triple.ts';
import type { Derivation } from '../../../src/cli/derivation.ts';
import { derivationOf } from '../../../src/cli/derivation.ts';
import { parseDuration } from '../../../src/cli/duration.ts';
import { mostSimilar } from '../../../src/cli/similar.ts';
import { nat } from '../../support/builder.ts';
import { requirements } from '../../support/arbitrary.ts';
import { keepalive } from '../../support/command-line.ts';

const derived = (...argv: string[]) => keepalive(['derive', ...argv]);

describe('keepalive derive', () => {
  test('writes the values, why, and what each failure looks like', async () => {
    const { code, stdout, stderr } = await derived('--timeout', '90s');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of [
      'net.ipv4.tcp_keepalive_time   = 30  s of silence before the first probe',
      'net.ipv4.tcp_keepalive_intvl  = 10  s between unanswered probes',
      'net.ipv4.tcp_keepalive_probes =  6  unanswered probes until the connection is given up',
      '  30  a third of 90 s',
      '  10  a sixth of the 60 s that are left',
      '    4 may: 5 are due before the path forgets at 90 s, the second after 40 s of silence',
      '    the connection ends 90 s after the last packet: ETIMEDOUT (errno 110)',
    ])
      expect(stdout.split('\n')).toContain(line);
  });

  test.each<[string, string[], string]>([
    ['of several the shortest binds', ['-t', '10m', '4m', '-p', 'aws-nlb'], '80/27/6 of 240 by the path'],
    ['a preset brings its number', ['-p', 'aws-nlb'], '116/39/6 of 350 by aws-nlb'],
    ['a proxy beside it does not bind', ['-p', 'aws-alb', '-t', '90'], '30/10/6 of 90 by the path'],
    [
      'declared values stand, and the rest gives way',
      ['-t', '90', '--time', '20s', '--probes', '3'],
      '20/24/3 of 90 by the path',
    ],
    ['the kernel’s own are never exceeded', ['-t', '5d'], '7200/75/9 of 432000 by the path'],
    ['two seconds have room for one probe in time', ['-t', '2'], '1/1/2 of 2 by the path'],
  ])('%s', async (_sentence, argv, told) => {
    const { stdout } = await derived(...argv, '-o', 'json');
    const said = JSON.parse(stdout) as Record<string, unknown>;
    expect(
      `${[said.timeSeconds, said.intervalSeconds, said.probes].join('/')} of ${String(said.idleTimeoutSeconds)} by ${String(said.limitedBy)}`,
    ).toBe(told);
  });

  test.each<[string, string]>([
    [
      'sysctl.conf',
      'net.ipv4.tcp_keepalive_time = 30\nnet.ipv4.tcp_keepalive_intvl = 10\nnet.ipv4.tcp_keepalive_probes = 6\n',
    ],
    ['systemd', '[Socket]\nKeepAlive=yes\nKeepAliveTimeSec=30\nKeepAliveIntervalSec=10\nKeepAliveProbes=6\n'],
    [
      'docker',
      '--sysctl net.ipv4.tcp_keepalive_time=30 --sysctl net.ipv4.tcp_keepalive_intvl=10 --sysctl net.ipv4.tcp_keepalive_probes=6\n',
    ],
  ])('as %s', async (format, text) => {
    const { stdout } = await derived('-t', '90', '-o', format);
    expect(stdout.replaceAll(/^#.*\n/gm, '')).toBe(text);
  });

  test('as compose, which is a file that compose can merge', async () => {
    const { stdout } = await derived('-t', '90', '-o', 'compose');
    const sysctls = {
      'net.ipv4.tcp_keepalive_time': 30,
      'net.ipv4.tcp_keepalive_intvl': 10,
      'net.ipv4.tcp_keepalive_probes': 6,
    };
    expect(parse(stdout)).toEqual({ services: { NAME: { sysctls } } });
  });

  test('as yaml and as json it says the same', async () => {
    const argv = ['-p', 'aws-nlb', 'envoy-tcp', '-o'];
    const [yaml, json] = [await derived(...argv, 'yaml'), await derived(...argv, 'json')];
    expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
    expect((JSON.parse(json.stdout) as { notes: string[] }).notes).toEqual([
      expect.stringContaining('envoy-tcp is a proxy: it counts data'),
    ]);
  });

  test('lists every preset with its source', async () => {
    const { stdout } = await derived('--list-presets');
    const rows = stdout.trimEnd().split('\n');
    expect(rows.map((row) => row.split(/\s+/)[0])).toEqual(presetNames);
    for (const [at, name] of presetNames.entries()) expect(rows[at]).toContain(presets[name].source);
  });

  test('wonders about a number that looks like minutes', async () => {
    expect((await derived('-t', '4')).stdout).toContain('are these minutes? Then declare 240');
  });
});

describe('keepalive derive, called wrongly, says what to do', () => {
  test.each<[string, string[], string]>([
    ['without a path', [], '`keepalive derive --timeout 90s`'],
    ['never', ['-t', 'never'], 'A hop that never forgets needs no mention: leave it out'],
    ['0', ['-t', '0'], 'Where 0 or less stands for never, leave the hop out'],
    ['weeks', ['-t', '7d'], 'or declare 432000'],
    ['an unknown preset', ['-p', 'aws-nbl'], 'did you mean aws-nlb?'],
    [
      'a preset that resembles none',
      ['-p', 'something-else'],
      'there is no preset something-else. `keepalive derive --list-presets` names all',
    ],
    ['proxies only', ['-p', 'aws-alb'], 'every hop of this path is a proxy'],
    [
      'values that leave no room',
      ['-t', '90', '--time', '85'],
      'timeSeconds 30, intervalSeconds 10 and probes 6 would do',
    ],
    [
      'a single probe',
      ['-t', '90', '--probes', '1'],
      'no room for two probes before the path forgets at 90 s',
    ],
    ['probes with a unit', ['-t', '90', '--probes', '2s'], 'a whole number from 1 to 9'],
    ['more probes than the kernel has', ['-t', '90', '--probes', '10'], 'a whole number from 1 to 9'],
    ['an unknown format', ['-t', '90', '-o', 'xml'], 'Allowed choices are text, json'],
    ['an unknown option', ['--timeuot', '90'], 'Did you mean --timeout?'],
    ['a stray word', ['90s'], 'too many arguments'],
  ])('%s', async (_sentence, argv, words) => {
    const { code, stdout, stderr } = await derived(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
  });
});

test('whatever the path and the declared values: what is told of the values is true of them', () => {
  fc.assert(
    fc.property(requirements, ({ idleTimeoutSeconds: limit, declared }) => {
      const triple = derive(limit, declared);
      const { timeSeconds, intervalSeconds, probes } = triple;
      const told = derivationOf(nat(limit), declared) as Derivation;
      expect(told.effective).toMatchObject({ timeSeconds, intervalSeconds, probes });
      const [words = ''] = told.why.timeSeconds.split(/ of | own|,/);
      expect(timeSeconds).toBe(
        new Map([
          ['a third', Math.floor(limit / 3)],
          ["the kernel's", kernelDefaults.timeSeconds],
          ['as declared', declared.timeSeconds],
        ]).get(words) ?? timeSeconds,
      );
      expect(told.why.probes).toContain(`= ${giveUpSeconds(triple)} s`);
      const inTime = Number(/(\d+) are due/.exec(told.failures[0]?.then ?? '')?.[1] ?? 1);
      const isDue = (probe: number) =>
        timeSeconds + (probe - 1) * intervalSeconds <= latestSecondProbe(limit);
      expect([isDue(inTime), inTime < probes && isDue(inTime + 1)]).toEqual([true, false]);
    }),
  );
});

describe('a duration', () => {
  test.each<[string, number | undefined]>([
    ['90', 90],
    ['90s', 90],
    ['4m', 240],
    ['1h30m', 5400],
    ['5d', 432_000],
    ['', undefined],
    ['1.5h', undefined],
    ['-5', undefined],
    ['350ms', undefined],
    ['s', undefined],
  ])('%s is %s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });
});

test.each<[string, string | undefined]>([
  ['aws-nbl', 'aws-nlb'],
  ['awsnlb', 'aws-nlb'],
  ['zzz', undefined],
])('of the presets %s resembles %s', (word, expected) => {
  expect(mostSimilar(word, presetNames)).toBe(expected);
});

test('why there are so many probes is so, whatever the timeout', () => {
  const seen = new Set<string>();
  for (const timeout of [2, 3, 6, 7, 8, 10, 90, 350, 3600, 7900, 8000, 20_000, 100_000])
    for (const declared of [{}, { timeSeconds: 1 }, { intervalSeconds: 1 }]) {
      const derivation = derivationOf(nat(timeout), declared);
      if (derivation === undefined) throw new Error('a NAT follows packets');
      const { effective, why } = derivation;
      const [word = ''] =
        /as many as it takes|so that (several|one) may|the kernel's own/.exec(why.probes) ?? [];
      const givesUp = giveUpSeconds(effective);
      const oneFewer = givesUp - effective.intervalSeconds;
      if (word.startsWith('as')) expect(oneFewer < timeout && givesUp >= timeout).toBe(true);
      else if (word.startsWith('so')) expect(oneFewer).toBeGreaterThanOrEqual(timeout);
      else expect(effective.probes).toBe(kernelDefaults.probes);
      seen.add(word);
    }
  expect(seen.size).toBe(4);
});
