import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const indexType = 'application/vnd.oci.image.index.v1+json';
export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const configType = 'application/vnd.oci.image.config.v1+json';
export const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';

export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A folder as the OCI Image Layout has it: every blob by its digest, and one file that names what it is all for. */
export class Layout {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}\n');
  }

  blob(mediaType: string, bytes: Buffer): Descriptor {
    const digest = digestOf(bytes);
    writeFileSync(join(this.#folder, 'blobs', digest.replace(':', '/')), bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** What stays the same as long as the object and the order of its fields do. */
  json(mediaType: string, object: object): Descriptor {
    return this.blob(mediaType, Buffer.from(JSON.stringify(object)));
  }

  /** Names the one thing that the folder is for. */
  name(descriptor: Descriptor, name: string): void {
    const annotations = { 'org.opencontainers.image.ref.name': name };
    const index = { schemaVersion: 2, mediaType: indexType, manifests: [{ ...descriptor, annotations }] };
    writeFileSync(join(this.#folder, 'index.json'), JSON.stringify(index));
  }
}
