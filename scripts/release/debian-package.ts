import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Entry } from './archive.ts';
import { entriesOf } from './archive.ts';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** What it is built from, where that has another name or version: `glibc`, `gcc-12 (12.2.0-14)`. */
  readonly source: string | undefined;
  /** What it says of itself, as dpkg reads it. */
  readonly control: Buffer;
  readonly files: readonly Entry[];
}

/** Reads a package; nothing of it is installed or unpacked here. */
export async function openPackage(archive: Buffer): Promise<DebianPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-deb-'));
  try {
    const path = join(folder, 'package.deb');
    writeFileSync(path, archive);
    const about = await entriesOf(await printedBy('dpkg-deb', ['--ctrl-tarfile', path]));
    const control = about.find((entry) => entry.path === 'control');
    if (control === undefined || !('body' in control)) throw new Error('a package says nothing of itself');
    const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(control.body.toString())?.[1];
    return {
      name: field('Package') ?? '',
      version: field('Version') ?? '',
      source: field('Source'),
      control: control.body,
      files: await entriesOf(await printedBy('dpkg-deb', ['--fsys-tarfile', path])),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All that a program prints, as it is. */
async function printedBy(program: string, args: readonly string[]): Promise<Buffer> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const code = await ended;
  if (code !== 0) throw new Error(`${program} ended with status ${code}`);
  return Buffer.concat(chunks);
}
