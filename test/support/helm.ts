import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { repository } from '../cluster/place.ts';
import { goTool } from './go-tool.ts';
import type { Manifest } from './manifest.ts';
import { manifestsOf } from './manifest.ts';

export const chart = join(repository, 'deploy/chart');

const programs = {
  'Helm 4': () => goTool('helm4', 'helm.sh/helm/v4/cmd/helm'),
  'Helm 3': () => goTool('helm3', 'helm.sh/helm/v3/cmd/helm'),
} as const;
export type HelmName = keyof typeof programs;
export const helmNames = Object.keys(programs) as HelmName[];

/** Builds a Helm where it is not built yet; gives back the path of the program. */
export const helmProgram = (name: HelmName) => programs[name]();

/** Builds both, before the first test has a time limit: on a new machine that takes minutes. */
export async function buildHelms(): Promise<void> {
  for (const name of helmNames) await helmProgram(name);
}
export const buildMs = 1_800_000;

/** Throws what Helm says. */
export async function helm(name: HelmName, args: readonly string[]): Promise<string> {
  const options = { maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(await helmProgram(name), args, options);
  return stdout;
}

/** What is rendered of the chart, as a release of this namespace would have it. */
export function renderedText(
  name: HelmName,
  args: readonly string[] = [],
  namespace = 'keepalive-system',
): Promise<string> {
  // Helm 3 takes the API server for an older one than there is, unless it is told.
  const release = ['keepalive', chart, '--namespace', namespace, '--kube-version', '1.37.0'];
  return helm(name, ['template', ...release, ...args]);
}

/** The same as objects. */
export async function rendered(
  name: HelmName,
  args: readonly string[] = [],
  namespace?: string,
): Promise<Manifest[]> {
  return manifestsOf(await renderedText(name, args, namespace));
}
