import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from '@jest/globals';

import { compileConnectionProgram } from '../../../scripts/connection-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'keepalive-object-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('what runs in the kernel goes into an image with the licence that its source names', () => {
  compileConnectionProgram(join(folder, 'keepalive.bpf.o'));
  const source = readFileSync(join(import.meta.dirname, '../../../src/kernel/keepalive.bpf.c'), 'utf8');
  const [, first = '', second = ''] = /SPDX-License-Identifier: \((\S+) OR (\S+)\)/.exec(source) ?? [];
  const text = readFileSync(join(folder, 'keepalive.bpf.LICENSE'), 'utf8');
  expect(text).toContain(`${first} or ${second}`);
  expect(text).toContain('Redistributions in binary form must reproduce the above copyright notice');
});
