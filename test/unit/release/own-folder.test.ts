import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from '@jest/globals';

import type { Made } from '../../../scripts/own-folder.ts';
import { besideProduct, emptyOwn, emptyProduct, holdOwn } from '../../../scripts/own-folder.ts';
import { repository } from '../../cluster/place.ts';
import { Folder } from '../cli/folder.ts';

const run = promisify(execFile);
const commands: Readonly<Record<Made, (folder: string) => string[]>> = {
  release: (folder) => ['scripts/release.ts', '--dry-run', '--output', folder],
  package: (folder) => ['scripts/package.ts', folder],
};
const kinds = Object.keys(commands) as Made[];

test.each(kinds)('npm run %s leaves a folder alone that has a file of somebody else', async (made) => {
  using folder = new Folder({ 'thesis.txt': 'years of work' });
  const command = run(process.execPath, commands[made](folder.path), { cwd: repository });
  await expect(command).rejects.toThrow('files in it that were not made here');
  expect(existsSync(join(folder.path, 'thesis.txt'))).toBe(true);
});

const earlier: Readonly<Record<Made, Record<string, string>>> = {
  release: { SHA256SUMS: '', 'image/oci-layout': '{}' },
  package: { 'package.json': '{"name": "keepalive-operator"}', 'keepalive.mjs': '' },
};
const other: Readonly<Record<Made, Record<string, string>>> = {
  release: { SHA256SUMS: '' },
  package: { 'package.json': '{"name": "keepalive-operator"}', 'src/main.ts': '' },
};

test.each(kinds)(
  'an earlier %s makes room for the next one, and what only looks like it does not',
  (made) => {
    using ours = new Folder(earlier[made]);
    emptyOwn(ours.path, made);
    for (const file of Object.keys(earlier[made])) expect(existsSync(join(ours.path, file))).toBe(false);
    using theirs = new Folder(other[made]);
    expect(() => {
      emptyOwn(theirs.path, made);
    }).toThrow('not made here');
    for (const file of Object.keys(other[made])) expect(existsSync(join(theirs.path, file))).toBe(true);
  },
);

const beside = join(dirname(repository), '..keepalive-of-nobody');
test.each(kinds)('a %s goes where nothing is, and into its own place in dist/', (made) => {
  for (const folder of [beside, join(repository, 'dist', made)])
    expect(() => {
      holdOwn(folder, made);
    }).not.toThrow();
});

test.each(kinds)('a %s goes neither around the repository nor among the parts of the image', (made) => {
  const refused = ['', '..', 'dist', 'dist/x', 'dist/main.mjs'].map((path) => join(repository, path));
  for (const folder of ['/', ...refused])
    expect(() => {
      holdOwn(folder, made);
    }).toThrow(/has this repository in it|is in dist\//);
});

test('a build empties dist/ for itself, and neither a release nor a package goes with it', () => {
  const made = { 'release/SHA256SUMS': '', 'package/keepalive.mjs': '' };
  using dist = new Folder({ 'main.mjs': '', 'node_modules/koffi/index.js': '', ...made });
  emptyProduct(dist.path);
  expect(readdirSync(dist.path).sort()).toEqual(kinds.toSorted());
  for (const file of Object.keys(made)) expect(existsSync(join(dist.path, file))).toBe(true);
  expect(() => {
    emptyProduct(join(dist.path, 'nowhere'));
  }).not.toThrow();
});

test('neither of the two is a part of an image that is built from dist/', () => {
  const lines = readFileSync(join(repository, '.dockerignore'), 'utf8').trim().split('\n');
  const without = besideProduct.map((made) => `dist/${made}`);
  // The last line that says something of a file decides.
  expect(lines.slice(lines.indexOf('!dist') + 1).sort()).toEqual(without.sort());
});
