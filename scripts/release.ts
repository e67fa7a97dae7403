/** `npm run release -- --dry-run`: makes all that a release has, in dist/release; without it, pushes images and chart too. */
import { parseArgs } from 'node:util';

import { repository } from '../test/cluster/place.ts';
import { holdPublishable, standing } from './release/history.ts';
import { readLock } from './release/lock.ts';
import { makeRelease } from './release/make.ts';
import { push } from './release/push.ts';
import { renewLock } from './release/renew.ts';
import product from '../package.json' with { type: 'json' };
import { join, resolve } from 'node:path';

const { values: told } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    registry: { type: 'string' },
    output: { type: 'string', default: join(repository, 'dist/release') },
    'krew-url': { type: 'string' },
    'debian-mirror': { type: 'string' },
    'renew-lock': { type: 'boolean', default: false },
  },
});
const tell = (step: string) => void process.stdout.write(`${step}\n`);

async function release(): Promise<void> {
  const { registry, output, 'krew-url': krewUrl, 'debian-mirror': mirror } = told;
  const dry = told['dry-run'];
  if (!dry && registry === undefined) throw new Error('say where to by --registry, or --dry-run');
  const at = await standing();
  if (!dry) holdPublishable(at, product.version);
  const folder = resolve(output);
  const made = await makeRelease({ folder, at, lock: readLock(), registry, krewUrl, mirror, tell });
  if (dry) return tell('pushed nothing: this was a dry run');
  for (const { layout, name } of made) {
    await push(layout, name);
    tell(`pushed ${name}`);
  }
}

try {
  await (told['renew-lock'] ? renewLock(told['debian-mirror']) : release());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
