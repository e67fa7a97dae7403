import { stringify } from 'yaml';

import type { Entry } from './archive.ts';
import { compressed, tarOf } from './archive.ts';

/** Of the package what nobody needs who runs the tool as a plugin. */
const notForPlugin = /^(models\.|man\/|package\.json$|complete\.mjs$)/;
export const program = 'keepalive.mjs';

export async function krewArchive(files: readonly Entry[]): Promise<Buffer> {
  return compressed(await tarOf(files.filter(({ path }) => !notForPlugin.test(path))));
}

export interface Plugin {
  readonly version: string;
  readonly description: string;
  /** Where the archive will be. */
  readonly url: string;
  readonly sha256: string;
}

/** For an index of krew: one archive for all, since the tool is a program of Node; Windows starts no such file. */
export function krewManifest({ version, description, url, sha256 }: Plugin): string {
  const on = { matchExpressions: [{ key: 'os', operator: 'In', values: ['linux', 'darwin'] }] };
  return stringify(
    {
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
      metadata: { name: 'keepalive' },
      spec: {
        version: `v${version}`,
        shortDescription: 'Check and explain keepalive policies',
        description: `${description}.\nDerives values, checks policies, renders manifests, and tells what a cluster makes of them.\n`,
        caveats: 'It needs Node 22.12 or later in your PATH.\n',
        platforms: [{ selector: on, uri: url, sha256, bin: program }],
      },
    },
    { lineWidth: 0 },
  );
}
