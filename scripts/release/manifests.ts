import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { stringify } from 'yaml';

import { runOrThrow } from '../../test/cluster/command.ts';
import { repository } from '../../test/cluster/place.ts';
import { kustomizeProgram } from '../../test/support/kustomize.ts';

/** What the manifests call the image. */
const name = 'keepalive.dev/keepalive-operator';

/** All of deploy/ as one file, with the image by its digest. */
export async function installManifest(image: { repository: string; digest: string }): Promise<string> {
  const folder = mkdtempSync(join(repository, 'dist/kustomize-'));
  try {
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [relative(folder, join(repository, 'deploy'))],
      images: [{ name, newName: image.repository, digest: image.digest }],
    };
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
    return await runOrThrow([await kustomizeProgram(), 'build', folder]);
  } finally {
    rmSync(folder, { recursive: true });
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
