import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

const src = join(import.meta.dirname, '../../src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

/** Which folders of ours each may import, itself included; what is not here may not exist. */
const layers: Readonly<Record<string, readonly string[]>> = {
  api: ['api'],
  policy: ['policy', 'api'],
  kube: ['kube'],
  kernel: ['kernel'],
  ops: ['ops'],
  controller: ['controller', 'api', 'policy', 'kube', 'ops'],
  agent: ['agent', 'api', 'policy', 'kube', 'kernel', 'ops'],
  cli: ['cli', 'api', 'policy', 'kube', 'ops'],
  'main.ts': ['controller', 'agent', 'cli', 'kube', 'ops'],
};
/** What the pure layers may have from outside: nothing that reads, writes or waits. */
const pure = ['api', 'policy'];
const pureModules = ['zod', 'zod/v4/core', '@kubernetes-models/base', 'node:crypto', 'node:util'];

const layerOf = (path: string) => path.split('/')[0] ?? '';

/** `./hop.ts` in `api/path.ts` → `api/hop.ts`; a package or a module of Node stays as it is. */
function importsOf(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/(?:\bfrom\s|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
    ([, name]) => name ?? '',
  );
  return specifiers.map((name) => (name.startsWith('.') ? join(path, '..', name) : name));
}

function mayImport(path: string, imported: string): boolean {
  const isOurs = imported.endsWith('.ts');
  if (isOurs) return (layers[layerOf(path)] ?? []).includes(layerOf(imported));
  return !pure.includes(layerOf(path)) || pureModules.includes(imported);
}

const tests = join(import.meta.dirname, '..');
/** What makes the runner leave out all but one test, and call that a success. */
const alone = /\.only\(|\.only\.each\b|\b(?:fit|fdescribe)(?:\.each)?\(/;

describe('the house', () => {
  test('has no test that runs at the expense of all others of its file', () => {
    const all = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((one) =>
      one.endsWith('.ts'),
    );
    expect(all.length).toBeGreaterThan(300);
    expect(all.filter((path) => alone.test(readFileSync(join(tests, path), 'utf8')))).toEqual([]);
  });

  test.each([
    ['test', 'only', '(', true],
    ['describe', 'only', '(', true],
    ['test', 'only.each', '([', true],
    ['test', 'each', '([', false],
    ['this.#out', 'onlyOnce', '(', false],
  ])('sees %s.%s%s as that: %s', (from, word, opened, seen) => {
    expect(alone.test(`${from}.${word}${opened}`)).toBe(seen);
  });

  test.each([
    ['fit', true],
    ['fdescribe', true],
    ['benefit', false],
  ])('sees a call of %s as that: %s', (word, seen) => {
    expect(alone.test(`${word}('a name'`)).toBe(seen);
  });

  test('has no file outside its layers', () => {
    expect(files.filter((path) => !(layerOf(path) in layers))).toEqual([]);
    expect(files.length).toBeGreaterThan(30);
  });

  test.each(files)('%s imports what its layer may, has one idea and a name of the domain', (path) => {
    const text = readFileSync(join(src, path), 'utf8');
    expect(importsOf(path, text).filter((imported) => !mayImport(path, imported))).toEqual([]);
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(300);
    expect(path).not.toMatch(/(^|\/)(utils?|helpers?|managers?|common)(\.|\/|-)/i);
  });

  test.each([
    ['api/hop.ts', "import { readFile } from 'node:fs/promises';", false],
    ['api/hop.ts', "import type { Policy } from '../policy/policy.ts';", false],
    ['policy/plan.ts', "import { isDeepStrictEqual } from 'node:util';", true],
    ['policy/plan.ts', "const { Store } = await import('../kube/store.ts');", false],
    ['kube/store.ts', "export type { Hop } from '../api/hop.ts';", false],
    ['kube/client.ts', "import '../kernel/sysctl-file.ts';", false],
    ['kube/client.ts', "import { request } from 'node:http';", true],
    ['agent/round.ts', "import { World } from '../controller/world.ts';", false],
    ['cli/render.ts', "import '../main.ts';", false],
    ['controller/apply.ts', "import { admit } from '../policy/admit.ts';", true],
  ])('says of %s with %s: %s', (path, text, allowed) => {
    const imported = importsOf(path, text);
    expect(imported).toHaveLength(1);
    expect(imported.every((one) => mayImport(path, one))).toBe(allowed);
  });
});
