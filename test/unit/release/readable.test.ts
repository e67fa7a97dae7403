import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { letAllRead } from '../../../scripts/own-folder.ts';

let dist: string;
const folders = ['', 'node_modules', 'node_modules/koffi', 'package'];
const files = ['main.mjs', 'node_modules/koffi/koffi.node', 'package/keepalive.mjs'];
const mode = (path: string) => (statSync(join(dist, path)).mode & 0o777).toString(8);

/** As a build leaves it under a umask of 077, of packages that were installed under it. */
beforeEach(() => {
  dist = join(mkdtempSync(join(tmpdir(), 'keepalive-dist-')), 'dist');
  for (const folder of folders) mkdirSync(join(dist, folder), { mode: 0o700 });
  for (const file of files) writeFileSync(join(dist, file), '');
  for (const file of files) chmodSync(join(dist, file), 0o600);
});
afterEach(() => rmSync(join(dist, '..'), { recursive: true }));

test('whoever runs an image reads what was built, whatever the umask was; what lies beside the product stays as it is', () => {
  letAllRead(dist);
  expect(folders.map(mode)).toEqual(['755', '755', '755', '700']);
  expect(files.map(mode)).toEqual(['644', '644', '600']);
});
