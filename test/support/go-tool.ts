import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { fill, placeFor } from '../cluster/cache.ts';
import { build } from '../cluster/go.ts';

/** Builds the one program of a Go module beside this file where it is not built yet; gives back the path of the program. */
export async function goTool(module: string, path: string): Promise<string> {
  const cwd = join(import.meta.dirname, module);
  const inputs = ['go.mod', 'go.sum'].map((file) => readFileSync(join(cwd, file)));
  const place = placeFor('programs', module, inputs);
  const flags = ['-ldflags', '-s -w'];
  await fill(place, (folder) => {
    const output = join(folder, module);
    const progress = { onProgress: () => undefined };
    return build({ cwd, env: {}, flags, packages: [path], output, progress });
  });
  return join(place, module);
}
