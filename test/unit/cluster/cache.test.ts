import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { fill, placeFor } from '../../cluster/cache.ts';
import { cacheRoot } from '../../cluster/place.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepalive-cache-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const leftovers = () => readdirSync(folder).filter((name) => name.includes('.new-'));

test('another input is another place, and so is another division of the same text', () => {
  const places = [['ab', 'c'], ['a', 'bc'], ['abc'], ['ab', 'd']].map((inputs) =>
    placeFor('programs', 'etcd', inputs),
  );
  expect(new Set(places).size).toBe(4);
  expect(placeFor('programs', 'etcd', ['ab', 'c'])).toBe(places[0]);
});

test('a build that fails leaves nothing that could be taken for a result', async () => {
  const place = join(folder, 'etcd');
  const half = fill(place, (into) => {
    writeFileSync(join(into, 'etcd'), 'half');
    return Promise.reject(new Error('no space left'));
  });
  await expect(half).rejects.toThrow('no space left');
  expect([existsSync(place), leftovers()]).toEqual([false, []]);
});

test('what a killed build left is cleared by the next', async () => {
  mkdirSync(join(folder, 'etcd.new-killed'));
  await fill(join(folder, 'etcd'), () => Promise.resolve());
  expect(leftovers()).toEqual([]);
});

test('of two who want the same at once, one makes it and both have it', async () => {
  const place = join(folder, 'etcd');
  let made = 0;
  const make = (into: string) => {
    made += 1;
    writeFileSync(join(into, 'etcd'), 'whole');
    return Promise.resolve();
  };
  await Promise.all([fill(place, make), fill(place, make)]);
  expect([made, readFileSync(join(place, 'etcd'), 'utf8')]).toEqual([1, 'whole']);
});

describe('what was built is kept', () => {
  const { XDG_CACHE_HOME: before } = process.env;
  afterEach(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });

  test.each([
    ['where the environment says', '/somewhere', '/somewhere/keepalive-operator'],
    ['below the home where it says nothing', '', join(homedir(), '.cache/keepalive-operator')],
    ['there too where it says no absolute place', 'cache', join(homedir(), '.cache/keepalive-operator')],
  ])('%s', (_sentence, told, place) => {
    process.env.XDG_CACHE_HOME = told;
    expect(cacheRoot()).toBe(place);
  });
});
