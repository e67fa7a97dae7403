/** `npm run build [-- ARCHITECTURE…]`: bundles src/ into dist/, so that the image needs no package tree but koffi. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { BuildOptions } from 'esbuild';
import { build } from 'esbuild';

import packageJson from '../package.json' with { type: 'json' };
import { bundledPackages } from './bundled.ts';
import { compileConnectionProgram } from './connection-program.ts';
import { copyKoffi } from './koffi.ts';
import { emptyProduct, letAllRead } from './own-folder.ts';
import { productBundle } from './product-bundle.ts';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');
emptyProduct(outdir);
const options = {
  ...productBundle,
  entryNames: '[name]',
  outdir,
  outExtension: { '.js': '.mjs' },
  define: { 'process.env.KEEPALIVE_VERSION': JSON.stringify(packageJson.version) },
  metafile: true,
} satisfies BuildOptions;
const main = await build({
  ...options,
  entryPoints: [join(root, 'src/main.ts'), join(root, 'src/agent/kernel-thread.ts')],
  // What only a kubeconfig file needs (16 MB of generated models) stays in a file that a pod never reads.
  splitting: true,
});
// By themselves, so that each holds nothing but what that process needs.
const processes = await build({
  ...options,
  entryPoints: [
    join(root, 'src/agent/connections/socket-process.ts'),
    join(root, 'src/kernel/connection-load-process.ts'),
  ],
});
const bundled = bundledPackages([main, processes].map(({ metafile }) => metafile));
await writeFile(join(outdir, 'bundled.json'), `${JSON.stringify(bundled, undefined, 2)}\n`);

compileConnectionProgram(join(outdir, 'keepalive.bpf.o'));
await copyKoffi({ root, outdir, architectures: process.argv.slice(2) });
letAllRead(outdir);
