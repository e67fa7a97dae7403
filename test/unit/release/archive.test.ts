import { gunzipSync } from 'node:zlib';

import { describe, expect, test } from '@jest/globals';

import type { Entry } from '../../../scripts/release/archive.ts';
import { compressed, entriesOf, tarOf } from '../../../scripts/release/archive.ts';

const file = (path: string, text = path, mode = 0o644): Entry => ({ path, mode, body: Buffer.from(text) });
const long = `app/${'very/'.repeat(60)}deep.mjs`;
const entries = [file('app/main.mjs'), file('usr/bin/node', 'ELF', 0o755), file(long)];
const link: Entry = { path: 'lib', target: 'usr/lib' };

describe('an archive of a release', () => {
  test('is the same in whatever order its entries come', async () => {
    const tar = await tarOf([...entries, link]);
    expect((await tarOf([link, ...entries.toReversed()])).equals(tar)).toBe(true);
    expect(compressed(tar).equals(compressed(tar))).toBe(true);
    expect(gunzipSync(compressed(tar)).equals(tar)).toBe(true);
  });

  test('names no system that it was made on and no time', () => {
    expect([...compressed(Buffer.from('x')).subarray(0, 10)]).toEqual([
      0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff,
    ]);
  });

  test('gives back what was put into it, long paths too', async () => {
    const found = await entriesOf(await tarOf([...entries, link]));
    expect(found).toHaveLength(4);
    expect(found).toEqual(expect.arrayContaining([...entries, link]));
  });

  test('refuses to have something twice', async () => {
    await expect(tarOf([file('a/b', '1'), file('a/b', '2')])).rejects.toThrow('a/b is there twice');
  });

  test('has a folder as it is asked for, though others imply it', async () => {
    const tar = await tarOf([file('tmp/a'), { path: 'tmp', mode: 0o1777 }]);
    expect(tar.subarray(100, 107).toString()).toBe('001777 ');
  });
});
