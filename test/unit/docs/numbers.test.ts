import { readFileSync, globSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { derive } from '../../../src/api/derive.ts';
import { defaultSettings } from '../../../src/api/settings.ts';
import { keepaliveSchema } from '../../../src/api/keepalive.ts';
import type { Triple } from '../../../src/api/triple.ts';
import { giveUpSeconds, secondProbeSeconds } from '../../../src/api/triple.ts';
import { together, valuesFor } from '../../../src/policy/requirement.ts';
import { declaredTriple, sysctlNames } from '../../../src/policy/sysctl.ts';
import { behind } from '../../support/builder.ts';
import { agentConfig, controllerConfig, readConfig } from '../../../src/ops/config.ts';
import { replicaSetRows } from '../../scenario/replica-set.ts';
import { Page } from './page.ts';

const values = new Page('docs/values.md');
const install = new Page('docs/install.md');

/** What a row of docs/values.md says of T seconds and declared values. */
function rowOf(seconds: string, declared: string): string[] {
  const keepalive = keepaliveSchema.parse(parse(`{${declared}}`));
  const triple = derive(Number(seconds), keepalive);
  const { timeSeconds, intervalSeconds, probes } = triple;
  return [
    `${timeSeconds} / ${intervalSeconds} / ${probes}`,
    String(secondProbeSeconds(triple)),
    String(giveUpSeconds(triple)),
  ];
}

describe('docs/values.md', () => {
  test.each(values.tableAfter('values: derived'))('T = %s gives %s', (seconds = '', ...told) => {
    expect(told).toEqual(rowOf(seconds, ''));
  });

  test.each(values.tableAfter('values: declared'))(
    'T = %s with %s gives %s',
    (seconds = '', declared = '', ...told) => {
      expect(told).toEqual(rowOf(seconds, declared));
    },
  );
});

test('docs/values.md says how many probes in a row may be lost', () => {
  const [, shortest] =
    /four or five probes in a row may be lost, fewer behind less than (\d+) s/.exec(values.text) ?? [];
  const mayBeLost = (seconds: number, lateness: number) => {
    const { timeSeconds, intervalSeconds, probes } = derive(seconds);
    const inTime = Array.from({ length: probes }, (_, at) => (timeSeconds + at * intervalSeconds) * lateness);
    return inTime.filter((due) => due < seconds).length - 1;
  };
  const lost = (from: number, to: number, lateness: number) =>
    Array.from({ length: to - from }, (_, at) => mayBeLost(from + at, lateness));
  const fewest = Number(shortest);
  // On time, and an eighth late.
  expect(mayBeLost(fewest - 1, 9 / 8)).toBe(3);
  expect(new Set(lost(fewest, 600, 9 / 8))).toEqual(new Set([4, 5]));
  expect(new Set(lost(fewest, 600, 1))).toEqual(new Set([4, 5]));
  expect(Math.max(...lost(600, 7200, 1))).toBe(8);
  expect(Math.min(...lost(901, 7200, 1))).toBe(8);
});

describe('docs/values.md, of several policies', () => {
  const text = ({ timeSeconds, intervalSeconds, probes }: Triple) =>
    `${timeSeconds} / ${intervalSeconds} / ${probes}`;
  /** `90, timeSeconds: 60` */
  const asked = (cell: string) => {
    const [seconds = '', declared = ''] = cell.split(', ');
    return behind(Number(seconds), keepaliveSchema.parse(parse(`{${declared}}`)));
  };

  test.each(values.tableAfter('values: together'))('%s gives %s, %s gives %s, both %s', (...cells) => {
    const [one = '', , other = ''] = cells;
    const [first, second] = [asked(one), asked(other)];
    const both = together([first, second]) ?? first;
    const told = [one, text(valuesFor(first)), other, text(valuesFor(second)), text(valuesFor(both))];
    expect(cells).toEqual(told);
  });
});

describe('docs/values.md and the scenario mongodb', () => {
  const numbers = (cells: readonly string[]) => cells.map((cell) => cell.replaceAll('*', ''));

  test('name the same three values for a replica set', () => {
    const told = values.tableAfter('Short answer').map((cells) => numbers(cells.slice(2)));
    expect(told.length).toBeGreaterThan(0);
    const advised = replicaSetRows.map(({ values, firstAndSecond }) => [values, firstAndSecond.join(', ')]);
    expect(advised).toEqual(told);
  });
});

describe('docs/install.md', () => {
  const namesIn = (mark: string, column = 0) =>
    install.tableAfter(mark).map((cells) => (cells[column] ?? '').replaceAll('`', ''));

  /** What the default column says where a default is a plain value. */
  const toldOf = (value: unknown) =>
    typeof value === 'object' && value !== null && 'host' in value && 'port' in value
      ? `\`${isIPv6(String(value.host)) ? `[${String(value.host)}]` : String(value.host)}:${String(value.port)}\``
      : `\`${String(value)}\``;
  const hostName = { podName: 'the host name' };

  test.each([
    [
      '### Settings of the controller',
      { agentNamespace: undefined, ...readConfig(controllerConfig, {}) },
      { ...hostName, agentNamespace: '`keepalive-agent`' },
    ],
    [
      '### Settings of the agent',
      { settingsNamespace: undefined, ...readConfig(agentConfig, { NODE_NAME: 'n1' }) },
      { ...hostName, nodeName: 'none: it has to be set', settingsNamespace: '`keepalive-system`' },
    ],
  ])('%s: each one, with its default', (heading, defaults, others: Record<string, string>) => {
    const variableOf = (field: string) => field.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const rows = install.tableAfter(heading).map(([name = '', value = '']) => [name, value]);
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(
        Object.entries(defaults).map(([field, value]) => [
          `\`${variableOf(field)}\``,
          others[field] ?? toldOf(value),
        ]),
      ),
    );
  });

  test('### Settings of the cluster: each key, with its default', () => {
    const rows = install
      .tableAfter('### Settings of the cluster')
      .map(([name = '', value = '']) => [name, value]);
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(
        Object.entries(defaultSettings).map(([key, value]) => [`\`${key}\``, `\`${value}\``]),
      ),
    );
  });

  test('UnreadableSysctl: each value that it names is none that is read here', () => {
    const [, , meaning = ''] =
      install.tableAfter('### Findings').find(([reason]) => reason === '`UnreadableSysctl`') ?? [];
    const [, named = ''] = /\(([^)]*)\)/.exec(meaning) ?? [];
    const examples = [...named.matchAll(/`([^`]+)`/g)].map(([, value = '']) => value);
    expect(examples.length).toBeGreaterThan(1);
    const read = examples.filter(
      (value) => declaredTriple([{ name: sysctlNames.timeSeconds, value }]) !== undefined,
    );
    expect(read).toEqual([]);
  });

  test('explains every reason that a status or an event can have, and no other', () => {
    const root = join(import.meta.dirname, '../../..');
    const sources = globSync('src/{policy,controller,agent}/*.ts', { cwd: root }).map((path) =>
      readFileSync(join(root, path), 'utf8'),
    );
    // As a field, as the first argument of what makes a standing, or as a constant that both refer to.
    const saying = /(?:reason: |exposed\(\s*|about\(pod, |Reason = )'([A-Z]\w+)'/g;
    const said = new Set(sources.flatMap((text) => [...text.matchAll(saying)].map(([, reason]) => reason)));
    const explained = [...namesIn('### Conditions', 1), ...namesIn('### Findings'), 'BindingRepaired'].filter(
      (name) => name !== '',
    );
    expect(install.text).toContain('`BindingRepaired`');
    expect([...new Set(explained)].sort()).toEqual([...said].sort());
  });
});
