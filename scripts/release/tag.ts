import type { Output } from '../../test/cluster/command.ts';
import type { Pushable } from './make.ts';

/** How crane passes on that a registry has no such repository, or not that tag in it. */
const absent = /^Error: GET \S+: (NAME_UNKNOWN|MANIFEST_UNKNOWN|NOT_FOUND|unexpected status code 404)\b/m;

/** What a tag names in a registry, as `crane digest` tells it; undefined: nothing. */
export function digestTold({ stdout, stderr, code }: Output): string | undefined {
  if (code === 0) return stdout.trim();
  if (absent.test(stderr)) return undefined;
  throw new Error(
    `crane digest ended with status ${code}, so that nobody knows whether this version is published already: ${stderr.trim()}`,
  );
}

/** Throws where a version is in the registry already and is something else: it would be another one overnight for all who take it by its tag. */
export function holdTag(
  { repository, tag, digest }: Pick<Pushable, 'repository' | 'tag' | 'digest'>,
  there: string | undefined,
): void {
  if (there === undefined || there === digest) return;
  throw new Error(
    `${repository}:${tag} is published already, as ${there}, and what was made is ${digest}. ` +
      'Nothing was pushed: set the next version in package.json (docs/release.md), or say --replace where nobody can have taken that one',
  );
}
