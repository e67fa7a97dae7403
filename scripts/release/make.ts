import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import product from '../../package.json' with { type: 'json' };
import { repository } from '../../test/cluster/place.ts';
import { architectures } from './architecture.ts';
import { chartArtifact, chartPackage } from './chart.ts';
import type { Standing } from './history.ts';
import { buildProduct, makeImages } from './images.ts';
import { krewArchive, krewManifest } from './krew.ts';
import { digestOf, Layout } from './layout.ts';
import type { Lock } from './lock.ts';
import { crdManifest, installManifest } from './manifests.ts';
import { notes } from './notes.ts';
import { sbomOf } from './sbom.ts';
import { npmPackage, toolFiles } from './tool-package.ts';

export interface Order {
  /** Emptied first. */
  readonly folder: string;
  readonly at: Standing;
  readonly lock: Lock;
  /** Undefined: the name that the manifests have, where nothing is. */
  readonly registry: string | undefined;
  /** Where the archive for krew will be; undefined: there is no manifest for krew. */
  readonly krewUrl: string | undefined;
  readonly mirror: string | undefined;
  readonly tell: (step: string) => void;
}

/** A layout and where in a registry it goes. */
export interface Pushable {
  readonly layout: string;
  readonly name: string;
}

/** All that a release has, in one folder; the same commit makes the same bytes. */
export async function makeRelease(order: Order): Promise<readonly Pushable[]> {
  const { folder, at, tell } = order;
  const { name, version, description, license } = product;
  const registry = order.registry ?? defaultRegistry();
  const inFolder = (file: string) => join(folder, file);
  await buildProduct();
  tell('built the product');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });

  const images = new Layout(inFolder('image'));
  const revision = at.isDirty ? `${at.revision}-dirty` : at.revision;
  const about = { title: name, description, license, version, revision, created: at.created };
  const made = await makeImages({ ...order, layout: images, about });
  const image = made.index;
  images.name(image, version);
  for (const architecture of architectures) {
    const { image: one, components } = made.each[architecture];
    const described = { name, version, license, architecture, digest: one.digest, created: at.created };
    writeFileSync(inFolder(`${name}-${version}-${architecture}.spdx.json`), sbomOf(described, components));
  }
  tell('wrote what is in the images');
  const pinned = { registry, repository: `${registry}/${name}`, digest: image.digest };

  const packed = await chartPackage(name, pinned);
  const charts = new Layout(inFolder('chart'));
  const chart = chartArtifact(charts, packed);
  charts.name(chart, version);
  writeFileSync(inFolder(`${name}-${version}.tgz`), packed);
  tell('packed the chart');

  writeFileSync(inFolder('install.yaml'), await installManifest(pinned));
  writeFileSync(inFolder('crds.yaml'), crdManifest());
  tell('wrote the manifests');

  await writeTool(order, inFolder);
  const published = {
    image: `${pinned.repository}@${image.digest}`,
    chart: `${registry}/charts/${name}@${chart.digest}`,
  };
  const { since, commits } = at;
  writeFileSync(inFolder('NOTES.md'), notes({ version, since, commits, ...published }));
  writeFileSync(inFolder('SHA256SUMS'), checksums(folder));
  tell(`made ${folder}: ${published.image}, ${published.chart}`);
  return [
    { layout: inFolder('image'), name: `${pinned.repository}:${version}` },
    { layout: inFolder('chart'), name: `${registry}/charts/${name}:${version}` },
  ];
}

async function writeTool({ krewUrl: url, tell }: Order, inFolder: (file: string) => string): Promise<void> {
  const { name, version, description } = product;
  const files = await toolFiles();
  // Charts and packages of npm would have the same name.
  writeFileSync(inFolder(`${name}-npm-${version}.tgz`), await npmPackage(files));
  const archive = await krewArchive(files);
  writeFileSync(inFolder(`kubectl-keepalive-${version}.tar.gz`), archive);
  const sha256 = digestOf(archive).slice('sha256:'.length);
  if (url !== undefined)
    writeFileSync(inFolder('keepalive.yaml'), krewManifest({ version, description, url, sha256 }));
  tell('packed the tool');
}

/** As sha256sum writes and checks them: of all files, and of what names the images. */
function checksums(folder: string): string {
  const files = readdirSync(folder, { withFileTypes: true }).map((one) =>
    one.isFile() ? one.name : `${one.name}/index.json`,
  );
  const lines = files
    .sort()
    .map((file) => `${digestOf(readFileSync(join(folder, file))).slice('sha256:'.length)}  ${file}\n`);
  return lines.join('');
}

function defaultRegistry(): string {
  const values = parse(readFileSync(join(repository, 'deploy/chart/values.yaml'), 'utf8')) as {
    image: { registry: string };
  };
  return values.image.registry;
}
