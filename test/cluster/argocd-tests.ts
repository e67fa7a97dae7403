import { cpSync, existsSync, globSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { fill, placeFor } from './cache.ts';
import { moduleToChange } from './changed-module.ts';
import { runOrThrow } from './command.ts';
import { goEnvironment, modules, requireGo } from './go.ts';
import { repository } from './place.ts';
import type { Part } from './prepare.ts';

const module = 'github.com/argoproj/argo-cd/v3';
const ours = 'argocd';
const scripts = join(repository, 'deploy/argocd');
const lua = globSync('**/*.lua', { cwd: scripts }).sort();

/**
 * Argo CD's own tests of the scripts in its repository, with our scripts in their place. It has scripts within it, so others make another
 * program; what is to be said of which object it reads when it is run.
 */
export function argoCdTests(): Part & { readonly program: string } {
  const goFiles = ['go.mod', 'go.sum'].map((file) => readFileSync(join(modules, ours, file)));
  const place = placeFor('programs', 'argocd-tests', [
    ...goFiles,
    ...lua.flatMap((path) => [path, readFileSync(join(scripts, path))]),
  ]);
  const program = join(place, 'lua.test');
  const build = async (signal?: AbortSignal) => {
    await requireGo([ours]);
    await fill(place, (folder) => compile(folder, signal));
  };
  return { title: "Argo CD's tests of scripts", isBuilt: () => existsSync(place), build, program };
}

async function compile(folder: string, signal: AbortSignal | undefined): Promise<void> {
  const into = join(folder, 'module');
  const customizations = join(
    await moduleToChange({ ours, module, into, signal }),
    'resource_customizations',
  );
  for (const name of readdirSync(customizations).filter((one) => !one.endsWith('.go')))
    rmSync(join(customizations, name), { recursive: true });
  for (const path of lua) cpSync(join(scripts, path), join(customizations, path));
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w'];
  await runOrThrow(['go', 'test', '-c', ...flags, '-o', join(folder, 'lua.test'), `${module}/util/lua`], {
    ...{ cwd: into, env: goEnvironment(), signal },
  });
  rmSync(into, { recursive: true });
}
