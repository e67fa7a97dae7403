import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import packageJson from '../../../package.json' with { type: 'json' };
import { Page, pages } from './page.ts';

const root = join(import.meta.dirname, '../../..');
const all = pages().map((page) => [page.path, page] as const);

test('the pages a reader looks for first are there', () => {
  expect(all.map(([path]) => path)).toEqual(
    expect.arrayContaining([
      'README.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      'docs/README.md',
      'docs/reference.md',
    ]),
  );
});

test.each(all)('%s: every link leads to a file that exists', (_, page) => {
  expect(page.links.filter(({ path }) => !existsSync(join(root, path)))).toEqual([]);
});

test.each(all)('%s: every anchor leads to a heading', (_, page) => {
  const dead = page.links.filter(
    ({ path, anchor }) => anchor !== undefined && path.endsWith('.md') && !new Page(path).anchors.has(anchor),
  );
  expect(dead).toEqual([]);
});

test.each(all)('%s: every `npm run` names a script of package.json', (_, page) => {
  const named = [...page.text.matchAll(/npm run (?:-\S+ )*([\w:]+)/g)].map(([, script]) => script);
  expect(named.filter((script) => !Object.hasOwn(packageJson.scripts, script ?? ''))).toEqual([]);
});

test.each(all)('%s: every file of the repository that it names in code exists', (_, page) => {
  const named = [...page.text.matchAll(/`((?:src|test|scripts|docs|deploy|crds)\/[\w./-]+)`/g)].map(
    ([, path]) => path ?? '',
  );
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
