import { readFileSync } from 'node:fs';

interface Document {
  readonly packages: readonly {
    readonly name: string;
    readonly versionInfo: string;
    readonly externalRefs: readonly { readonly referenceLocator: string }[];
  }[];
}

/** `NAME VERSION` of all in such a list that packages of a kind (`deb`, `npm`) are. */
export function componentsIn(file: string, type: string): string[] {
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as Document;
  return packages
    .filter(({ externalRefs }) => externalRefs[0]?.referenceLocator.startsWith(`pkg:${type}/`))
    .map(({ name, versionInfo }) => `${name} ${versionInfo}`);
}
