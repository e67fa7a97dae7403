import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { runOrThrow } from './command.ts';
import { goEnvironment, isOlder, modules } from './go.ts';

/** The version the committed go.mod pins. */
export const defaultKubernetes = versionIn(
  readFileSync(join(modules, 'kubernetes/go.mod'), 'utf8'),
  'k8s.io/kubernetes',
);

/** 1.36 stands for the latest release of that line, as the module proxy lists it. */
export async function wantedVersion(wanted = defaultKubernetes): Promise<string> {
  if (/^1\.\d+\.\d+$/.test(wanted)) return wanted;
  if (!/^1\.\d+$/.test(wanted))
    throw new Error(
      `"${wanted}" is no version of Kubernetes: write ${defaultKubernetes}, or 1.36 for the latest of that line`,
    );
  const listed = await runOrThrow(['go', 'list', '-m', '-versions', 'k8s.io/kubernetes'], {
    env: goEnvironment(),
    cwd: '/',
  });
  const latest = latestOf(wanted, listed.trim().split(' '));
  if (latest === undefined) throw new Error(`there is no release of Kubernetes ${wanted}`);
  return latest;
}

/** The latest release among tags such as v1.36.2; release candidates do not count. */
export function latestOf(line: string, tags: readonly string[]): string | undefined {
  const releases = tags
    .map((tag) => tag.slice(1))
    .filter((tag) => /^[\d.]+$/.test(tag) && tag.startsWith(`${line}.`));
  return releases.reduce<string | undefined>(
    (best, one) => (best === undefined || isOlder(best, one) ? one : best),
    undefined,
  );
}

/** Of the module a package belongs to: the longest required path that the package's path starts with. */
export function versionIn(goMod: string, packagePath: string): string {
  const required = [...goMod.matchAll(/^(?:require)?\s+(\S+) v(\S+)/gm)]
    .filter(([, path = '']) => packagePath === path || packagePath.startsWith(`${path}/`))
    .sort(([, a = ''], [, b = '']) => b.length - a.length);
  return required[0]?.[2] ?? 'unknown';
}

/**
 * How a module of ours has to replace Kubernetes' own parts: in its repository they are folders, which nobody
 * else has, so they are replaced by the parts as they are published, v0.MINOR.PATCH.
 */
export function replacements(kubernetesGoMod: string, version: string): string[] {
  const parts = [...kubernetesGoMod.matchAll(/^\s*(?:replace )?(k8s\.io\/[a-z-]+) => \.\/staging/gm)];
  return parts.map(([, part = '']) => `${part}=${part}@v0.${version.slice(2)}`);
}
