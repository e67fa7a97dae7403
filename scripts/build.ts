/** Bundles src/main.ts into dist/main.js: one file, so that the image has no package tree to keep. */
import { join } from 'node:path';

import { build } from 'esbuild';

import { version } from '../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '..');
await build({
  entryPoints: [join(root, 'src/main.ts')],
  outfile: join(root, 'dist/main.js'),
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  sourcemap: true,
  minifySyntax: true,
  define: { 'process.env.KEEPALIVE_VERSION': JSON.stringify(version) },
  // CommonJS dependencies reach for these; an ES module has neither.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
