import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { whatIsLoaded } from '../../../scripts/release/elf.ts';

test('a program runs without what the loader never looks at', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-elf-'));
  try {
    const whole = readFileSync(process.execPath);
    const cut = whatIsLoaded(whole);
    expect(cut.length).toBeLessThan(whole.length);
    const program = join(folder, 'node');
    writeFileSync(program, cut);
    chmodSync(program, 0o755);
    expect(execFileSync(program, ['-p', '6 * 7'], { encoding: 'utf8' })).toBe('42\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ['no program at all', Buffer.alloc(64)],
  ['one of 32 bits', Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1]), Buffer.alloc(58)])],
])('%s is refused', (_what, bytes) => {
  expect(() => whatIsLoaded(bytes)).toThrow('no little-endian ELF');
});
