/** `npm run release -- --dry-run`: makes all that a release has, in dist/release; without it, pushes images and chart too. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { repository } from '../test/cluster/place.ts';
import { holdGenerated } from './release/generated.ts';
import type { Standing } from './release/history.ts';
import { holdPublishable, standing } from './release/history.ts';
import { readLock } from './release/lock.ts';
import { makeRelease } from './release/make.ts';
import { holdTags, push } from './release/push.ts';
import { renewLock } from './release/renew.ts';
import { takeSecrets } from './release/secrets.ts';
import { Signer } from './release/signer.ts';
import product from '../package.json' with { type: 'json' };
import { join, resolve } from 'node:path';

const { values: told } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    registry: { type: 'string' },
    output: { type: 'string', default: join(repository, 'dist/release') },
    'krew-url': { type: 'string' },
    key: { type: 'string' },
    unsigned: { type: 'boolean', default: false },
    replace: { type: 'boolean', default: false },
    'debian-mirror': { type: 'string' },
    'renew-lock': { type: 'boolean', default: false },
  },
});
const tell = (step: string) => void process.stdout.write(`${step}\n`);

async function release(): Promise<void> {
  const { key } = told;
  const secrets = takeSecrets(process.env, key);
  const dry = told['dry-run'];
  if (!dry && told.registry === undefined) throw new Error('say where to by --registry, or --dry-run');
  if (!dry && (key === undefined) !== told.unsigned)
    throw new Error('say by --key which key signs it, or by --unsigned that nobody will know who made it');
  const { 'krew-url': krewUrl } = told;
  if (krewUrl !== undefined && !krewUrl.startsWith('https://'))
    throw new Error('--krew-url is the https address at which people find the archive of the tool');
  const at = await standing();
  if (!dry) await hold(at);
  const signer = key === undefined ? undefined : await Signer.open(key, secrets);
  try {
    await publish(at, signer);
  } finally {
    signer?.close();
  }
}

/** Throws why this commit must not be published. */
async function hold(at: Standing): Promise<void> {
  holdPublishable(at, product.version);
  // It takes as long to load as all the rest.
  const { generatedFiles } = await import('./generated-files.ts');
  holdGenerated(generatedFiles(), (path) => {
    const file = join(repository, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  });
}

async function publish(at: Standing, signer: Signer | undefined): Promise<void> {
  const { registry, output, 'krew-url': krewUrl, 'debian-mirror': mirror } = told;
  const publicKey = await signer?.publicKey();
  const folder = resolve(output);
  const order = { folder, at, lock: readLock(), registry, krewUrl, mirror, publicKey, tell };
  const made = await makeRelease(order);
  await signer?.signFile(join(folder, 'SHA256SUMS'));
  if (told['dry-run']) return tell('pushed nothing: this was a dry run');
  if (!told.replace) await holdTags(made);
  for (const one of made) {
    await push(one, signer);
    tell(`${signer === undefined ? 'pushed' : 'pushed and signed'} ${one.repository}:${one.tag}`);
  }
}

try {
  await (told['renew-lock'] ? renewLock(told['debian-mirror']) : release());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
