import type { BuildOptions } from 'esbuild';

import { undiciParts } from './undici-parts.ts';

/** How what runs in a pod is bundled: no package tree is beside it but koffi. */
export const productBundle = {
  bundle: true,
  external: ['koffi'],
  platform: 'node',
  target: 'node26',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [undiciParts],
  // CommonJS dependencies reach for `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
} satisfies BuildOptions;
