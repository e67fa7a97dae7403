import type { Architecture } from './architecture.ts';
import { architectures, namesOf } from './architecture.ts';
import type { Entry } from './archive.ts';
import { compressed, tarOf } from './archive.ts';
import type { Descriptor, Layout } from './layout.ts';
import { configType, digestOf, indexType, layerType, manifestType } from './layout.ts';

export interface About {
  readonly title: string;
  readonly description: string;
  readonly license: string;
  readonly version: string;
  /** Commit that it is made of. */
  readonly revision: string;
  /** When that was made. */
  readonly created: string;
}

/** Entries as one layer: the digest of the archive is in the image's configuration, that of what travels in its manifest. */
export interface Layer {
  readonly what: string;
  readonly archive: string;
  /** Of the archive. */
  readonly bytes: number;
  readonly blob: Descriptor;
}

export async function layerOf(layout: Layout, what: string, entries: readonly Entry[]): Promise<Layer> {
  const tar = await tarOf(entries);
  return { what, archive: digestOf(tar), bytes: tar.length, blob: layout.blob(layerType, compressed(tar)) };
}

/** What the Dockerfile says of the same. */
const runtime = {
  User: '65532:65532',
  ExposedPorts: { '8080/tcp': {} },
  // One arena for all threads of a process: each further one keeps some MiB that it gave back to nobody.
  Env: ['PATH=/usr/bin', 'NODE_ENV=production', 'MALLOC_ARENA_MAX=1'],
  Entrypoint: ['node', '/app/main.mjs'],
  WorkingDir: '/app',
};

export function annotationsOf(about: About): Record<string, string> {
  const { title, description, license, version, revision, created } = about;
  const named = { title, description, licenses: license, version, revision, created };
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => [`org.opencontainers.image.${name}`, value]),
  );
}

/** The image of one architecture. */
export function imageOf(
  layout: Layout,
  architecture: Architecture,
  layers: readonly Layer[],
  about: About,
): Descriptor {
  const { variant } = namesOf[architecture];
  const platform = { architecture, os: 'linux', ...(variant === undefined ? {} : { variant }) };
  const { created } = about;
  const config = layout.json(configType, {
    ...platform,
    created,
    config: { ...runtime, Labels: annotationsOf(about) },
    rootfs: { type: 'layers', diff_ids: layers.map(({ archive }) => archive) },
    history: layers.map(({ what }) => ({ created, created_by: what })),
  });
  const blobs = layers.map(({ blob }) => blob);
  const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: blobs };
  return { ...layout.json(manifestType, { ...manifest, annotations: annotationsOf(about) }), platform };
}

/** One name for the images of all architectures. */
export function indexOf(
  layout: Layout,
  images: Readonly<Record<Architecture, Descriptor>>,
  about: About,
): Descriptor {
  const manifests = architectures.map((one) => images[one]);
  const annotations = annotationsOf(about);
  return layout.json(indexType, { schemaVersion: 2, mediaType: indexType, manifests, annotations });
}
