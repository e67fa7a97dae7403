import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

const src = join(import.meta.dirname, '../../../src/kernel');
const read = (file: string) => readFileSync(join(src, file), 'utf8');

test('the licence of what runs in the kernel is the one that its source names', () => {
  const [, first = '', second = ''] =
    /SPDX-License-Identifier: \((\S+) OR (\S+)\)/.exec(read('keepalive.bpf.c')) ?? [];
  const text = read('keepalive.bpf.LICENSE');
  expect(text).toContain(`${first} or ${second}`);
  expect(text).toContain('Redistributions in binary form must reproduce the above copyright notice');
});
