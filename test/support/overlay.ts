import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { stringify } from 'yaml';

import { repository } from '../cluster/place.ts';

const deploy = join(repository, 'deploy');

/** Kustomizations over deploy/, as users keep them beside a clone of it. */
export class Overlays {
  readonly #folder = mkdtempSync(join(tmpdir(), 'keepalive-overlay-'));

  /** The folder of a new one. */
  write(
    name: string,
    kustomization: { readonly components?: readonly string[]; readonly [field: string]: unknown },
  ): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    const { components = [], ...rest } = kustomization;
    const object = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [relative(folder, deploy)],
      components: components.map((component) => relative(folder, join(deploy, 'components', component))),
      ...rest,
    };
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(object));
    return folder;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
