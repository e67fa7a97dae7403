import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { repository } from '../../test/cluster/place.ts';
import { besideProduct } from '../own-folder.ts';
import type { Architecture } from './architecture.ts';
import { architectures, namesOf } from './architecture.ts';
import type { Entry } from './archive.ts';
import { filesBelow } from './files-below.ts';

/** For the list of what is in the image. */
const notOurs = ['bundled.json', ...besideProduct];

/** What `npm run build` has made, with koffi's part for one architecture, as the Dockerfile has it too. */
export function productEntries(architecture: Architecture): Entry[] {
  const dist = join(repository, 'dist');
  const others = architectures
    .filter((one) => one !== architecture)
    .map((one) => `node_modules/@koromix/koffi-linux-${namesOf[one].node}/`);
  const files = filesBelow(dist)
    .filter((path) => !notOurs.includes(path.split('/')[0] ?? ''))
    .filter((path) => !others.some((one) => path.startsWith(one)));
  const own = `node_modules/@koromix/koffi-linux-${namesOf[architecture].node}/`;
  if (!files.some((path) => path.startsWith(own)))
    throw new Error(`npm run build left no part of koffi for ${architecture}`);
  const at = (path: string, from: string): Entry => ({
    ...{ path: `app/${path}`, mode: 0o644 },
    body: readFileSync(from),
  });
  return [at('LICENSE', join(repository, 'LICENSE')), ...files.map((path) => at(path, join(dist, path)))];
}
