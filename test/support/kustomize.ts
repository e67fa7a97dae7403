import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { goTool } from './go-tool.ts';
import type { Manifest } from './manifest.ts';
import { manifestsOf } from './manifest.ts';

/** Builds kustomize where it is not built yet; gives back the path of the program. */
export const kustomizeProgram = () => goTool('kustomize', 'sigs.k8s.io/kustomize/kustomize/v5');

/** What is made of a kustomization. */
export async function builtText(folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)(await kustomizeProgram(), ['build', folder], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** The same as objects. */
export async function built(folder: string): Promise<Manifest[]> {
  return manifestsOf(await builtText(folder));
}
