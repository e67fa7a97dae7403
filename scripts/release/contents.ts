import packageLock from '../../package-lock.json' with { type: 'json' };
import type { Architecture } from './architecture.ts';
import { namesOf } from './architecture.ts';
import type { DebianPackage } from './debian-package.ts';
import type { Lock } from './lock.ts';
import { nodePackage } from './node-layer.ts';

/** Something that an image has and others made, as a lock has it. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** By which scanners know it. */
  readonly purl: string;
  /** By which they know programs that no package manager brought. */
  readonly cpe?: string;
  /** An expression of SPDX, where the lock says one. */
  readonly license: string | undefined;
  /** Of the archive that it came in, as `sha256:…` or, as npm writes it, `sha512-…`. */
  readonly digest: string;
}

type LockedPackages = Readonly<
  Record<string, { readonly version: string; readonly integrity: string; readonly license?: string }>
>;
const locked = packageLock.packages as unknown as LockedPackages;

export function debianComponents(
  architecture: Architecture,
  packages: readonly DebianPackage[],
  lock: Lock,
): Component[] {
  const ofSystem = packages.find(({ name }) => name === 'base-files');
  const distro = `debian-${ofSystem?.version.split('.')[0] ?? lock.debian}`;
  return packages.map(({ name, version, source }, at) => {
    const upstream = source?.replace(/ \((.+)\)$/, '@$1');
    const qualifiers = { arch: architecture, distro, ...(upstream === undefined ? {} : { upstream }) };
    const digest = lock.packages[architecture][at]?.digest ?? '';
    return { name, version, purl: purl('deb/debian', name, version, qualifiers), license: undefined, digest };
  });
}

export function nodeComponent(architecture: Architecture, { node }: Lock): Component {
  const { version, integrity } = node;
  return {
    ...{ name: 'node', version, purl: purl('generic', 'node', version), digest: integrity[architecture] },
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    license: locked[`node_modules/${nodePackage('amd64')}`]?.license,
  };
}

/** `bundled`: folders of packages as package-lock.json names them. koffi lies beside the bundle. */
export function npmComponents(architecture: Architecture, bundled: readonly string[]): Component[] {
  const koffi = ['koffi', `@koromix/koffi-linux-${namesOf[architecture].node}`];
  const folders = new Set([...bundled, ...koffi.map((name) => `node_modules/${name}`)]);
  return [...folders].sort().map((folder) => {
    const found = locked[folder];
    if (found === undefined) throw new Error(`package-lock.json does not have ${folder}, which was bundled`);
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const { version, integrity, license } = found;
    return { name, version, purl: purl('npm', name, version), license, digest: integrity };
  });
}

/** Package URL, as ECMA-427 has it. */
export function purl(
  type: string,
  name: string,
  version: string,
  qualifiers: Readonly<Record<string, string>> = {},
): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  const query = Object.entries(qualifiers).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  const told = query.length === 0 ? '' : `?${query.sort().join('&')}`;
  return `pkg:${type}/${path}@${encodeURIComponent(version)}${told}`;
}
