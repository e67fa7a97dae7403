import { basename, join } from 'node:path';

import type { Plugin } from 'esbuild';

const prefix = 'part-';

/**
 * Leaves what is loaded by `import()` to a build of its own and remembers which files that are. Each file that node loads costs
 * it a millisecond or two: split at once, the commands that load nothing would be spread over fifteen.
 */
export function lazyParts(found: Map<string, string>): Plugin {
  return {
    name: 'lazy-parts',
    setup(build) {
      build.onResolve({ filter: /^[^/]/ }, ({ path, resolveDir, kind }) => {
        if (kind !== 'dynamic-import' || path.startsWith('node:')) return undefined;
        if (!path.startsWith('.'))
          throw new Error(`load ${path} by a file of ours, or all of it is in the first file`);
        const file = join(resolveDir, path);
        const name = `${prefix}${basename(file, '.ts')}`;
        found.set(name, file);
        return { path: `./${name}.mjs`, external: true };
      });
    },
  };
}
