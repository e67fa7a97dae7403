import { runOrThrow } from '../../test/cluster/command.ts';
import { repository } from '../../test/cluster/place.ts';
import type { Commit } from './notes.ts';

/** Where this clone stands. */
export interface Standing {
  readonly revision: string;
  /** When that commit was made, in UTC. */
  readonly created: string;
  /** Changes that are in no commit. */
  readonly isDirty: boolean;
  /** Of that commit. */
  readonly tags: readonly string[];
  /** The last tag of a version before it. */
  readonly since: string | undefined;
  /** From then on, the newest first. */
  readonly commits: readonly Commit[];
}

export async function standing(): Promise<Standing> {
  const [revision = '', seconds = ''] = (await git('log', '-1', '--format=%H %ct')).trim().split(' ');
  const earlier = await git('describe', '--tags', '--abbrev=0', '--match', 'v*', `${revision}^`).catch(
    () => '',
  );
  const since = earlier.trim() === '' ? undefined : earlier.trim();
  const range = since === undefined ? revision : `${since}..${revision}`;
  const logged = await git('log', '--no-merges', '--format=%H %s', range);
  return {
    ...{ revision, since },
    created: new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z'),
    isDirty: (await git('status', '--porcelain')).trim() !== '',
    tags: linesOf(await git('tag', '--points-at', revision)),
    commits: linesOf(logged).map((line) => ({ hash: line.slice(0, 40), subject: line.slice(41) })),
  };
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function git(...args: readonly string[]): Promise<string> {
  return runOrThrow(['git', ...args], { cwd: repository, env: process.env });
}

/** Throws why this must not be published, with what to do. */
export function holdPublishable(
  { isDirty, tags }: Pick<Standing, 'isDirty' | 'tags'>,
  version: string,
): void {
  if (isDirty)
    throw new Error(
      'there are changes that are in no commit (git status says which): nobody could make this release again',
    );
  if (!tags.includes(`v${version}`))
    throw new Error(
      `this commit is not tagged v${version}: git tag -a v${version}, or set the version in package.json`,
    );
}
