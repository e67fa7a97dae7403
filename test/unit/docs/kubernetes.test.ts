import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { repository } from '../../cluster/place.ts';
import { defaultKubernetes } from '../../cluster/version.ts';
import { Page } from './page.ts';

const rows = new Page('docs/install.md').tableAfter('| what changes new pods');
const versionsIn = (text: string) => [...text.matchAll(/\b1\.\d+\.\d+\b/g)].map(([version]) => version);
const runOf = (minor: string) =>
  rows.find(([kubernetes = '']) => kubernetes.split(', ').includes(minor))?.[3];

const older = ['policies-older.test.ts', 'webhook-older.test.ts', 'asked.ts'].flatMap((file) =>
  versionsIn(readFileSync(join(repository, 'test/long', file), 'utf8')),
);

test('docs/install.md says which Kubernetes the tests run on, and no other', () => {
  const tried = [...new Set([defaultKubernetes, ...older])].sort();
  expect(tried.length).toBeGreaterThan(3);
  expect(rows.flatMap(([, , , run = '']) => versionsIn(run)).sort()).toEqual(tried);
  for (const version of tried) expect(runOf(version.replace(/\.\d+$/, ''))).toContain(version);
});
