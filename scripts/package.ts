/** `npm run package [-- FOLDER]`: dist/package/, or the folder: what `npm pack` makes the package of the tool and of the models from. */
import { copyFile, cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { build } from 'esbuild';

import packageJson from '../package.json' with { type: 'json' };
import { lazyParts } from './lazy-parts.ts';
import { manPages } from './man-pages.ts';
import { modelTypes } from './model-types.ts';
import { emptyOwn } from './own-folder.ts';
import { undiciParts } from './undici-parts.ts';

const root = join(import.meta.dirname, '..');
const outdir = resolve(process.argv[2] ?? join(root, 'dist/package'));
/** The oldest that can `require` what is an ES module, so that CommonJS takes the models too. */
const oldestNode = '22.12';

const options = {
  outdir,
  entryNames: '[name]',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: `node${oldestNode}`,
  format: 'esm',
  minify: true,
  keepNames: true,
  define: { 'process.env.KEEPALIVE_VERSION': JSON.stringify(packageJson.version) },
  logLevel: 'warning',
} as const;

emptyOwn(outdir, 'package');
const program = {
  ...options,
  plugins: [undiciParts],
  // CommonJS dependencies reach for `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
};
const parts = new Map<string, string>();
await build({
  ...program,
  entryPoints: {
    keepalive: join(root, 'src/cli/main.ts'),
    complete: join(root, 'src/cli/kubectl-complete.ts'),
  },
  plugins: [lazyParts(parts)],
});
await build({
  ...program,
  // In the order of their names: they are found in another one each time, from which names of chunks follow.
  entryPoints: Object.fromEntries([...parts].sort(([a], [b]) => (a < b ? -1 : 1))),
  splitting: true,
  chunkNames: 'chunk-[hash]',
});
await build({ ...options, entryPoints: { models: join(root, 'src/api/model.ts') } });
await writeFile(join(outdir, 'models.d.ts'), await modelTypes());
const man = manPages();
await mkdir(join(outdir, 'man'));
for (const [name, text] of man) await writeFile(join(outdir, 'man', name), text);
await writeFile(
  join(outdir, 'package.json'),
  `${JSON.stringify(
    {
      name: packageJson.name,
      version: packageJson.version,
      description: packageJson.description,
      license: packageJson.license,
      type: 'module',
      engines: { node: `>=${oldestNode}` },
      bin: {
        keepalive: 'keepalive.mjs',
        'kubectl-keepalive': 'keepalive.mjs',
        'kubectl_complete-keepalive': 'complete.mjs',
        // What npx runs: the one of the package's own name.
        [packageJson.name]: 'keepalive.mjs',
      },
      // An installation for everybody brings them into the path of man.
      man: [...man.keys()].map((name) => `man/${name}`),
      exports: {
        './models': { types: './models.d.ts', default: './models.mjs' },
        './package.json': './package.json',
      },
    },
    undefined,
    2,
  )}\n`,
);
await copyFile(join(root, 'docs/cli.md'), join(outdir, 'README.md'));
await cp(join(root, 'LICENSE'), join(outdir, 'LICENSE'));
const sizes = await Promise.all(
  (await readdir(outdir)).map(async (file) => (await stat(join(outdir, file))).size),
);
process.stdout.write(`${outdir}: ${Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024)} KiB\n`);
