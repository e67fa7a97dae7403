import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, test } from '@jest/globals';

import { rewrite } from '../../../src/cli/rewrite.ts';
import { Folder } from './folder.ts';

const module = pathToFileURL(join(import.meta.dirname, '../../../src/cli/rewrite.ts')).href;
const isRoot = process.geteuid?.() === 0;
const old = 'old\n'.repeat(1000);
const text = 'longer than before\n'.repeat(1000);

/** In a process that may write files of this many blocks of 1 KiB, and no longer ones. */
function limited(blocks: number, path: string) {
  const program = `
    const { rewrite } = await import(${JSON.stringify(module)});
    try { rewrite(process.argv[1], ${JSON.stringify('longer than before\n')}.repeat(1000)); console.log('written'); }
    catch (error) { console.log(error.code); }`;
  const script = `ulimit -f ${blocks}; exec "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1" "$2"`;
  return spawnSync('bash', ['-c', script, process.execPath, program, path], {
    encoding: 'utf8',
  }).stdout.trim();
}

describe('a file that cannot be written to its end', () => {
  test('has its old text, and nothing is left beside it', () => {
    using folder = new Folder({ 'app.yaml': old });
    expect(limited(8, join(folder.path, 'app.yaml'))).toBe('EFBIG');
    expect(folder.read('app.yaml')).toBe(old);
    expect(readdirSync(folder.path)).toEqual(['app.yaml']);
  });

  test('has it also where it is written over, since it has another name', () => {
    using folder = new Folder({ 'app.yaml': old });
    linkSync(join(folder.path, 'app.yaml'), join(folder.path, 'same.yaml'));
    expect(limited(8, join(folder.path, 'app.yaml'))).toBe('EFBIG');
    expect([folder.read('app.yaml'), folder.read('same.yaml')]).toEqual([old, old]);
  });

  test('is written where it can be', () => {
    using folder = new Folder({ 'app.yaml': old });
    expect(limited(64, join(folder.path, 'app.yaml'))).toBe('written');
    expect(folder.read('app.yaml')).toBe(text);
  });
});

describe('a file that is written', () => {
  test.each([0o640, 0o755, 0o600])('keeps its mode %d', (mode) => {
    using folder = new Folder({ 'app.yaml': old });
    const path = join(folder.path, 'app.yaml');
    chmodSync(path, mode);
    rewrite(path, text);
    expect(statSync(path).mode & 0o7777).toBe(mode);
    expect(folder.read('app.yaml')).toBe(text);
  });

  (isRoot ? test : test.skip)('keeps its owner', () => {
    using folder = new Folder({ 'app.yaml': old });
    const path = join(folder.path, 'app.yaml');
    chownSync(path, 1234, 4321);
    rewrite(path, text);
    expect(statSync(path)).toMatchObject({ uid: 1234, gid: 4321 });
  });

  test('keeps the links that lead to it, of both kinds', () => {
    using folder = new Folder({ 'there/app.yaml': old, 'hard.yaml': old });
    mkdirSync(join(folder.path, 'here'));
    const link = join(folder.path, 'here/app.yaml');
    symlinkSync('../there/app.yaml', link);
    linkSync(join(folder.path, 'hard.yaml'), join(folder.path, 'other.yaml'));
    rewrite(link, text);
    rewrite(join(folder.path, 'hard.yaml'), 'short\n');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(folder.read('there/app.yaml')).toBe(text);
    expect(folder.read('other.yaml')).toBe('short\n');
  });

  test('need not be in a folder that takes new files', () => {
    using folder = new Folder({ 'app.yaml': old });
    chmodSync(join(folder.path, 'app.yaml'), 0o666);
    chmodSync(folder.path, 0o555);
    if (isRoot) process.seteuid?.(65_534);
    try {
      rewrite(join(folder.path, 'app.yaml'), text);
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(folder.path, 0o755);
    }
    expect(folder.read('app.yaml')).toBe(text);
  });
});
