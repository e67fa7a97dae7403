/** Bundles src/main.ts into dist/: no package tree in the image. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { build } from 'esbuild';

import packageJson from '../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: [join(root, 'src/main.ts')],
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  // What only a kubeconfig file needs (16 MB of generated models) stays in a file that a pod never reads.
  splitting: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  define: { 'process.env.KEEPALIVE_VERSION': JSON.stringify(packageJson.version) },
  // CommonJS dependencies reach for `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
