import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import product from '../../package.json' with { type: 'json' };
import { run, runOrThrow } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';

/** Whoever commits, and when: the same commit for the same files. */
export const committing = {
  ...process.env,
  ...{ GIT_AUTHOR_NAME: 'nobody', GIT_AUTHOR_EMAIL: 'nobody@example.com' },
  ...{ GIT_COMMITTER_NAME: 'nobody', GIT_COMMITTER_EMAIL: 'nobody@example.com' },
  ...{ GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z', GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z' },
};

/** This working tree as a clone of its own that a release can be made of: one commit, with the tag of the version. */
export async function releaseCopy(folder: string): Promise<void> {
  const listed = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = (await runOrThrow(listed, { cwd: repository, env: process.env })).split('\0');
  for (const file of files.filter((one) => one !== '')) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(repository, file), join(folder, file));
  }
  await copyPackages(folder);
  const git = (...args: readonly string[]) => runOrThrow(['git', ...args], { cwd: folder, env: committing });
  await git('init', '--quiet');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'All of it');
  await git('tag', `v${product.version}`);
}

/** Of the files themselves: bundles name what a link leads to by its path from the clone. */
export async function copyPackages(folder: string): Promise<void> {
  const modules = [join(repository, 'node_modules'), join(folder, 'node_modules')];
  const linked = await run(['cp', '-al', ...modules]);
  if (linked.code !== 0) await runOrThrow(['cp', '-a', ...modules]);
}
