import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

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

/** By it the templates name the image where the values have neither a tag nor a digest. */
const digestAnnotation = 'keepalive.dev/image-digest';

/** The chart that has, as its default, the image that was made with it, by digest. */
export async function chartPackage(name: string, image: ChartImage): Promise<Buffer> {
  const entries = filesBelow(folder).map((path): Entry => ({
    path: `${name}/${path}`,
    mode: 0o644,
    body: Buffer.from(released(path, image)),
  }));
  return compressed(await tarOf(entries));
}

const registryInClone = 'keepalive.dev';

/** A file of the chart, as it is published. */
export function released(path: string, { registry, digest }: ChartImage): string {
  const text = readFileSync(join(folder, path), 'utf8');
  const change = new Map([
    ['Chart.yaml', ['annotations:\n', `annotations:\n  ${digestAnnotation}: ${digest}\n`]],
    ['values.yaml', [`  registry: ${registryInClone}\n`, `  registry: ${registry}\n`]],
    [
      'README.md',
      [`\`image.registry\` | \`"${registryInClone}"\``, `\`image.registry\` | \`"${registry}"\``],
    ],
  ]).get(path);
  if (change === undefined) return text;
  const [before = '', after = ''] = change;
  if (!text.includes(before)) throw new Error(`${path} of the chart does not say ${before}`);
  return text.replace(before, () => after);
}

/** As Helm pushes it, but for the time at which somebody pushed it. */
export function chartArtifact(layout: Layout, packed: Buffer, image: ChartImage): Descriptor {
  const metadata = parse(released('Chart.yaml', image)) as Record<string, string>;
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
