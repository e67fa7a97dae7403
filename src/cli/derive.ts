import { Command, InvalidArgumentError, Option } from 'commander';

import type { Hop } from '../api/hop.ts';
import type { Keepalive } from '../api/keepalive.ts';
import type { PresetName } from '../api/presets.ts';
import { presetNames, presets } from '../api/presets.ts';
import { kernelDefaults } from '../api/triple.ts';
import { derivationOf, isTooLate } from './derivation.ts';
import type { DerivationFormat } from './derivation-output.ts';
import { derivationWriters } from './derivation-output.ts';
import { parseDuration, parseTimeout } from './duration.ts';
import { mostSimilar } from './similar.ts';
import type { Terminal } from './terminal.ts';
import { CommandError } from './terminal.ts';

interface Options {
  readonly timeout?: readonly string[];
  readonly preset?: readonly string[];
  readonly time?: number;
  readonly interval?: number;
  readonly probes?: number;
  readonly output: DerivationFormat;
  readonly listPresets?: true;
}

const examples = `
Examples:
  keepalive derive --timeout 90s
  keepalive derive --preset aws-nlb --timeout 4m       the shortest of both binds
  keepalive derive --preset azure-load-balancer --output sysctl.conf
  docker run $(keepalive derive --timeout 90s --output docker) IMAGE
`;

export function deriveCommand(terminal: Terminal): Command {
  return new Command('derive')
    .summary('the three values for a path, why, and what each failure looks like')
    .description(
      'The three keepalive values for a path, by the time its parts take to forget a silent connection; why each value is ' +
        'what it is; and what a program sees when something fails all the same. Needs no Kubernetes.',
    )
    .option(
      '-t, --timeout <duration...>',
      'what stands in the path forgets after this long: 90, 90s, 4m, 1h30m',
    )
    .option(
      '-p, --preset <name...>',
      'a product whose default is known (--list-presets), instead of a number',
    )
    .option(
      '--time <duration>',
      `a first probe of your own choice, ${kernelDefaults.timeSeconds} s at most`,
      bounded(kernelDefaults.timeSeconds),
    )
    .option(
      '--interval <duration>',
      `an interval of your own choice, ${kernelDefaults.intervalSeconds} s at most`,
      bounded(kernelDefaults.intervalSeconds),
    )
    .option(
      '--probes <count>',
      `a number of probes of your own choice, ${kernelDefaults.probes} at most`,
      bounded(kernelDefaults.probes, (text) => (/^\d+$/.test(text) ? Number(text) : undefined)),
    )
    .addOption(
      new Option('-o, --output <format>', 'how to write them')
        .choices(Object.keys(derivationWriters))
        .default('text'),
    )
    .option('--list-presets', 'the products whose defaults are known, with their sources')
    .addHelpText('after', examples)
    .action(async (options: Options) => {
      if (options.listPresets) terminal.out(presetList());
      else await derive(options, terminal);
    });
}

function bounded(most: number, parse = parseDuration): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (value !== undefined && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(
      `It is a whole number from 1 to ${most}, since the kernel's own is ${most} and nothing is ever made longer.`,
    );
  };
}

async function derive(options: Options, terminal: Terminal): Promise<void> {
  const path = pathOf(options);
  const declared = declaredOf(options);
  const derivation = derivationOf(path, declared);
  if (derivation === undefined) throw await onlyProxies();
  if (isTooLate(derivation.effective.idleTimeoutSeconds, declared)) throw await tooLate(path, declared);
  terminal.out(await derivationWriters[options.output](derivation, terminal.style));
}

function pathOf({ timeout = [], preset = [] }: Options): Hop[] {
  if (timeout.length + preset.length === 0) {
    throw new CommandError(
      'say what stands in the path: `keepalive derive --timeout 90s`, or `keepalive derive --preset aws-nlb`; ' +
        '`keepalive derive --list-presets` names the products that are known',
    );
  }
  return [
    ...timeout.map((text) => ({
      name: 'the path',
      type: 'NAT' as const,
      idleTimeoutSeconds: parseTimeout(text),
    })),
    ...preset.map((name) => ({ preset: presetNamed(name) })),
  ];
}

function presetNamed(name: string): PresetName {
  const found = presetNames.find((one) => one === name);
  if (found !== undefined) return found;
  const similar = mostSimilar(name, presetNames);
  throw new CommandError(
    `there is no preset ${name}${similar === undefined ? '. ' : `: did you mean ${similar}? `}` +
      '`keepalive derive --list-presets` names all; for anything else give its --timeout',
  );
}

function declaredOf({ time, interval, probes }: Options): Keepalive {
  return {
    ...(time === undefined ? {} : { timeSeconds: time }),
    ...(interval === undefined ? {} : { intervalSeconds: interval }),
    ...(probes === undefined ? {} : { probes }),
  };
}

/** The rules of the API bring zod with them, which takes longer to load than all else here. */
async function tooLate(path: Hop[], keepalive: Keepalive): Promise<CommandError> {
  const { keepaliveRule } = await import('../api/keepalive.ts');
  return new CommandError(keepaliveRule.explain?.({ path, keepalive }) ?? keepaliveRule.message);
}

async function onlyProxies(): Promise<CommandError> {
  const { proxiesOnlyMessage } = await import('../api/path.ts');
  return new CommandError(proxiesOnlyMessage);
}

function presetList(): string {
  const rows = presetNames.map((name) => {
    const { idleTimeoutSeconds, type, title, source } = presets[name];
    return [name, `${idleTimeoutSeconds} s`, type, title, source] as const;
  });
  const widthOf = (column: 0 | 1 | 2 | 3) => Math.max(...rows.map((row) => row[column].length));
  const [first, second, third, fourth] = [widthOf(0), widthOf(1), widthOf(2), widthOf(3)];
  return rows
    .map(
      ([name, seconds, type, title, source]) =>
        `${name.padEnd(first)}  ${seconds.padStart(second)}  ${type.padEnd(third)}  ${title.padEnd(fourth)}  ${source}\n`,
    )
    .join('');
}
