import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { loadOrder } from '../../cluster/kernel-module.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepalive-modules-'));
  const put = (file: string, needs: string) => {
    writeFileSync(join(folder, file), `\x7fELF\0license=GPL\0depends=${needs}\0name=x\0`);
  };
  put('ip_vs.ko', 'nf_conntrack,libcrc32c');
  put('libcrc32c.ko', '');
  put('nf_defrag_ipv4.ko', '');
  put('broken.ko', 'absent');
  put('nf-conntrack.ko', 'libcrc32c,nf_defrag_ipv4');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const order = (...names: string[]) => loadOrder(folder, names).map(({ name }) => name);

test('a module comes after all that it needs, and once', () => {
  expect(order('ip_vs', 'libcrc32c')).toEqual(['libcrc32c', 'nf_defrag_ipv4', 'nf_conntrack', 'ip_vs']);
});

test('what is not there is named', () => {
  expect(() => order('broken')).toThrow('there is no kernel module absent');
});
