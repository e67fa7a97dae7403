import type { Triple } from '../api/triple.ts';
import { tripleKeys } from '../api/triple.ts';
import { sysctlNames } from '../policy/sysctl.ts';
import type { Derivation } from './derivation.ts';
import type { Terminal } from './terminal.ts';

type Writer = (derivation: Derivation, style: Terminal['style']) => string | Promise<string>;

/** What `derive --output` can write, by its name. */
export const derivationWriters = {
  text,
  json: (derivation) => `${JSON.stringify(plain(derivation), undefined, 2)}\n`,
  yaml: async (derivation) => (await import('./yaml-text.ts')).yamlOf(plain(derivation)),
  'sysctl.conf': (derivation) =>
    comment(derivation, 'a file of /etc/sysctl.d, such as 90-keepalive.conf; sysctl --system reads it') +
    sysctls(derivation.effective)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(''),
  systemd,
  compose,
  docker: ({ effective }) =>
    `${sysctls(effective)
      .map(([name, value]) => `--sysctl ${name}=${value}`)
      .join(' ')}\n`,
} as const satisfies Readonly<Record<string, Writer>>;

export type DerivationFormat = keyof typeof derivationWriters;

const meanings: Readonly<Record<keyof Triple, string>> = {
  timeSeconds: 's of silence before the first probe',
  intervalSeconds: 's between unanswered probes',
  probes: 'unanswered probes until the connection is given up',
};

function sysctls(triple: Triple): [name: string, value: number][] {
  return tripleKeys.map((key) => [sysctlNames[key], triple[key]]);
}

function text({ effective, why, failures, notes }: Derivation, style: Terminal['style']): string {
  const width = Math.max(...tripleKeys.map((key) => String(effective[key]).length));
  const nameWidth = Math.max(...Object.values(sysctlNames).map(({ length }) => length));
  const head = (words: string) => style('bold', words);
  return [
    ...tripleKeys.map(
      (key) =>
        `${sysctlNames[key].padEnd(nameWidth)} = ${style('green', String(effective[key]).padStart(width))}  ${meanings[key]}`,
    ),
    '',
    head(`Why: ${effective.limitedBy} forgets a silent connection after ${effective.idleTimeoutSeconds} s`),
    ...tripleKeys.map((key) => `  ${String(effective[key]).padStart(width)}  ${why[key]}`),
    '',
    head('What each failure looks like'),
    ...failures.flatMap(({ when, then }) => [`  ${when}:`, `    ${then}`]),
    ...(notes.length === 0 ? [] : ['', head('Beside that'), ...notes.map((note) => `  ${note}`)]),
    '',
  ].join('\n');
}

/** One object for programs; a field more is no break. */
function plain({ effective, why, failures, notes }: Derivation) {
  return { ...effective, sysctls: Object.fromEntries(sysctls(effective)), why, failures, notes };
}

function comment({ effective, notes }: Derivation, place: string): string {
  const lines = [
    place,
    `${effective.limitedBy} forgets a silent connection after ${effective.idleTimeoutSeconds} s`,
  ];
  return [...lines, ...notes].map((line) => `# ${line}\n`).join('');
}

/** systemd sets these on the sockets it hands to a service; what a service opens itself takes the sysctls. */
function systemd(derivation: Derivation): string {
  const { timeSeconds, intervalSeconds, probes } = derivation.effective;
  return (
    comment(
      derivation,
      'a drop-in of a socket unit, such as /etc/systemd/system/NAME.socket.d/keepalive.conf; ' +
        'for connections that a service opens itself take --output sysctl.conf',
    ) +
    `[Socket]\nKeepAlive=yes\nKeepAliveTimeSec=${timeSeconds}\nKeepAliveIntervalSec=${intervalSeconds}\nKeepAliveProbes=${probes}\n`
  );
}

function compose(derivation: Derivation): string {
  const lines = sysctls(derivation.effective).map(([name, value]) => `      ${name}: ${value}\n`);
  return `${comment(derivation, 'beside your compose file: docker compose -f compose.yaml -f THIS up')}services:\n  NAME:\n    sysctls:\n${lines.join('')}`;
}
