import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { standing } from '../../scripts/release/history.ts';
import { runOrThrow } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';
import { copyPackages } from './release-copy.ts';

/** Stands for the version before until one is released: its agents tell no `policyDigest`, and its kind of a node knows none. */
const untilReleased = '70129efc354c6d7d662378cf7957eaafaa6fa698';

/** What agents of it tell, and the tag of its image: two commits may have the same number. */
export const versionBefore = '0.0.0-before';

/**
 * The version that users upgrade from, as a folder to build: what KEEPALIVE_BEFORE names, else the last that is tagged before this
 * commit. With the packages that are installed here: it is our own part that the two differ by.
 */
export async function sourceBefore(folder: string): Promise<void> {
  const revision = process.env.KEEPALIVE_BEFORE ?? (await standing()).since ?? untilReleased;
  const archive = `${folder}.tar`;
  await runOrThrow(['git', 'archive', '--output', archive, revision], {
    cwd: repository,
    env: process.env,
  });
  await runOrThrow(['tar', '-x', '-f', archive, '-C', folder]);
  await copyPackages(folder);
  const file = join(folder, 'package.json');
  const product = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...product, version: versionBefore }));
}
