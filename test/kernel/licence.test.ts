import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from '@jest/globals';

import { compileConnectionProgram } from '../../scripts/connection-program.ts';
import { repository } from '../cluster/place.ts';

const folder = mkdtempSync(join(tmpdir(), 'keepalive-object-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('wherever the program for the kernel is compiled into, its licence goes with it', () => {
  compileConnectionProgram(join(folder, 'keepalive.bpf.o'));
  const licence = 'keepalive.bpf.LICENSE';
  expect(readFileSync(join(folder, licence), 'utf8')).toBe(
    readFileSync(join(repository, 'src/kernel', licence), 'utf8'),
  );
});
