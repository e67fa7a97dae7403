import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { repository } from '../../test/cluster/place.ts';
import { builtText } from '../../test/support/kustomize.ts';
import { Overlays } from '../../test/support/overlay.ts';

/** What the manifests call the image. */
const name = 'keepalive.dev/keepalive-operator';

/** By the name of a file: the components that it has beside deploy/. */
export const installs = {
  'install.yaml': [],
  // For Kubernetes before 1.36, which takes no MutatingAdmissionPolicy.
  'install-webhook.yaml': ['webhook'],
} satisfies Record<string, readonly string[]>;

/** All of deploy/ as one file, with the image by its digest. */
export async function installManifest(
  file: keyof typeof installs,
  image: { repository: string; digest: string },
): Promise<string> {
  const overlays = new Overlays();
  try {
    const images = [{ name, newName: image.repository, digest: image.digest }];
    return await builtText(overlays.write('install', { components: installs[file], images }));
  } finally {
    overlays.remove();
  }
}

/** The kinds alone. */
export function crdManifest(): string {
  const folder = join(repository, 'crds');
  const files = readdirSync(folder).filter((file) => file !== 'kustomization.yaml');
  return files
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('---\n');
}
