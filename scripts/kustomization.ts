import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import product from '../package.json' with { type: 'json' };

const tag = /^( +newTag: ).*$/m;

/** deploy/kustomization.yaml as it stands there; what is generated of it is the tag of the image alone. */
export function kustomization(): string {
  const text = readFileSync(join(import.meta.dirname, '../deploy/kustomization.yaml'), 'utf8');
  if (!tag.test(text)) throw new Error('deploy/kustomization.yaml gives the image no newTag');
  return text.replace(tag, `$1${product.version}`);
}
