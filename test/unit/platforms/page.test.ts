import { expect, test } from '@jest/globals';

import { checks } from '../../platforms/checks.ts';
import { platforms } from '../../platforms/page.ts';
import type { Seen } from '../../platforms/seen.ts';
import { labNode, readSeen } from '../../platforms/seen.ts';

const seen = (kind: string, some: Seen['checks'] = {}): Seen => ({
  kind,
  facts: {
    distribution: `Debian of ${kind}`,
    architecture: 'amd64',
    kernel: '6.1.0',
    runtime: 'containerd 2.2.9',
    starter: 'runc 1.4.3',
    monitor: 'containerd-shim in system.slice',
    controlGroups: 'v2',
    appArmor: 'on',
    connections: 'BPF',
  },
  checks: some,
});
const rowsOf = (page: string) =>
  page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()));
const row = (page: string, title: string) =>
  rowsOf(page)
    .find(([, first]) => first === title)
    ?.slice(2, -1);

test('a kind of node is a column, the lab’s own first', () => {
  const page = platforms([seen('bookworm,containerd'), seen(labNode)]);
  expect(rowsOf(page)[0]?.slice(2, -1)).toEqual(['the lab’s own node', '`bookworm,containerd`']);
  expect(row(page, 'distribution')).toEqual(['Debian of lab', 'Debian of bookworm,containerd']);
});

test('what held, what did not and what was not tried are told apart', () => {
  const page = platforms([seen('a', { live: true, drift: false })]);
  expect([checks.live, checks.drift, checks.own].map((title) => row(page, title))).toEqual([
    ['yes'],
    ['**no**'],
    ['–'],
  ]);
});

test('everything that was written down held, on every kind, and is still among what is checked', () => {
  const all = readSeen();
  expect(all.map(({ kind }) => kind)).toContain(labNode);
  for (const { kind, checks: some } of all) {
    expect({ kind, unknown: Object.keys(some).filter((id) => !Object.hasOwn(checks, id)) }).toEqual({
      kind,
      unknown: [],
    });
    expect({ kind, failed: Object.entries(some).filter(([, held]) => !held) }).toEqual({ kind, failed: [] });
  }
});
