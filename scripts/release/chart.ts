import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse, parseDocument } from 'yaml';

import { repository } from '../../test/cluster/place.ts';
import type { Entry } from './archive.ts';
import { compressed, tarOf } from './archive.ts';
import { filesBelow } from './files-below.ts';
import type { Descriptor, Layout } from './layout.ts';
import { manifestType } from './layout.ts';

const folder = join(repository, 'deploy/chart');

export interface ChartImage {
  readonly registry: string;
  readonly digest: string;
}

/** The chart with the image that was made with it as its default, by digest. */
export async function chartPackage(name: string, image: ChartImage): Promise<Buffer> {
  const entries = filesBelow(folder).map((path): Entry => {
    const text = readFileSync(join(folder, path), 'utf8');
    const body = Buffer.from(path === 'values.yaml' ? valuesFor(text, image) : text);
    return { path: `${name}/${path}`, mode: 0o644, body };
  });
  return compressed(await tarOf(entries));
}

export function valuesFor(text: string, { registry, digest }: ChartImage): string {
  const values = parseDocument(text);
  for (const [field, value] of Object.entries({ registry, digest })) {
    if (!values.hasIn(['image', field])) throw new Error(`the values of the chart have no image.${field}`);
    values.setIn(['image', field], value);
  }
  return values.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** As Helm pushes it, but for the time at which somebody pushed it. */
export function chartArtifact(layout: Layout, packed: Buffer): Descriptor {
  const metadata = parse(readFileSync(join(folder, 'Chart.yaml'), 'utf8')) as Record<string, string>;
  const config = layout.json('application/vnd.cncf.helm.config.v1+json', metadata);
  const layers = [layout.blob('application/vnd.cncf.helm.chart.content.v1.tar+gzip', packed)];
  const { name: title, version, description } = metadata;
  const annotations = Object.fromEntries(
    Object.entries({ title, version, description }).map(([key, value]) => [
      `org.opencontainers.image.${key}`,
      value,
    ]),
  );
  return layout.json(manifestType, {
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers,
    annotations,
  });
}
