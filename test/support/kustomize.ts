import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { fill, placeFor } from '../cluster/cache.ts';
import { build } from '../cluster/go.ts';

const cwd = join(import.meta.dirname, 'kustomize');

/** Builds kustomize where it is not built yet; gives back the path of the program. */
export async function kustomizeProgram(): Promise<string> {
  const inputs = ['go.mod', 'go.sum'].map((file) => readFileSync(join(cwd, file)));
  const place = placeFor('programs', 'kustomize', inputs);
  const packages = ['sigs.k8s.io/kustomize/kustomize/v5'];
  const flags = ['-ldflags', '-s -w'];
  await fill(place, (folder) => {
    const output = join(folder, 'kustomize');
    return build({ cwd, env: {}, flags, packages, output, progress: { onProgress: () => undefined } });
  });
  return join(place, 'kustomize');
}
