import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import product from '../../package.json' with { type: 'json' };
import { repository } from '../../test/cluster/place.ts';
import { emptyOwn, holdOwn } from '../own-folder.ts';
import { architectures } from './architecture.ts';
import { chartArtifact, chartPackage } from './chart.ts';
import type { Standing } from './history.ts';
import { buildProduct, makeImages } from './images.ts';
import { krewArchive, krewManifest } from './krew.ts';
import { digestOf, Layout } from './layout.ts';
import type { Lock } from './lock.ts';
import { crdManifest, installManifest } from './manifests.ts';
import { notes, publicKeyFile } from './notes.ts';
import { sbomOf } from './sbom.ts';
import { npmPackage, toolFiles } from './tool-package.ts';

export interface Order {
  /** Absolute, and emptied first, where it holds nothing but an earlier release. */
  readonly folder: string;
  readonly at: Standing;
  readonly lock: Lock;
  /** Undefined: the name that the manifests have, where nothing is. */
  readonly registry: string | undefined;
  /** Where the archive for krew will be; undefined: there is no manifest for krew. */
  readonly krewUrl: string | undefined;
  readonly mirror: string | undefined;
  /** Of those who can say that it was they who made it, as PEM; undefined: nobody says so. */
  readonly publicKey: string | undefined;
  readonly tell: (step: string) => void;
}

/** A layout and where in a registry it goes. */
export interface Pushable {
  readonly layout: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  /** Of what it names, what each is made of: a file of SPDX. */
  readonly sboms: readonly { readonly digest: string; readonly file: string }[];
}

/** All that a release has, in one folder; the same commit makes the same bytes. */
export async function makeRelease(order: Order): Promise<readonly Pushable[]> {
  const { folder, at, tell } = order;
  const { name, version, description, license } = product;
  const registry = order.registry ?? defaultRegistry();
  const inFolder = (file: string) => join(folder, file);
  holdOwn(folder, 'release');
  await buildProduct();
  tell('built the product');
  emptyOwn(folder, 'release');

  const images = new Layout(inFolder('image'));
  const revision = at.isDirty ? `${at.revision}-dirty` : at.revision;
  const about = { title: name, description, license, version, revision, created: at.created };
  const made = await makeImages({ ...order, layout: images, about });
  const image = made.index;
  images.name(image, version);
  const sboms = architectures.map((architecture) => {
    const { image: one, components } = made.each[architecture];
    const described = { name, version, license, architecture, digest: one.digest, created: at.created };
    const file = inFolder(`${name}-${version}-${architecture}.spdx.json`);
    writeFileSync(file, sbomOf(described, components));
    return { digest: one.digest, file };
  });
  tell('wrote what is in the images');
  const pinned = { registry, repository: `${registry}/${name}`, digest: image.digest };

  const packed = await chartPackage(name, pinned);
  const charts = new Layout(inFolder('chart'));
  const chart = chartArtifact(charts, packed, pinned);
  charts.name(chart, version);
  writeFileSync(inFolder(`${name}-${version}.tgz`), packed);
  tell('packed the chart');

  for (const file of ['install.yaml', 'install-webhook.yaml'] as const)
    writeFileSync(inFolder(file), await installManifest(file, pinned));
  writeFileSync(inFolder('crds.yaml'), crdManifest());
  tell('wrote the manifests');

  await writeTool(order, inFolder);
  const charted = `${registry}/charts/${name}`;
  const published = {
    image: `${pinned.repository}@${image.digest}`,
    chart: `${charted}@${chart.digest}`,
  };
  const { since, commits } = at;
  const isSigned = order.publicKey !== undefined;
  if (isSigned) writeFileSync(inFolder(publicKeyFile), order.publicKey);
  writeFileSync(inFolder('NOTES.md'), notes({ version, since, commits, isSigned, ...published }));
  writeFileSync(inFolder('SHA256SUMS'), checksums(folder));
  tell(`made ${folder}: ${published.image}, ${published.chart}`);
  const tag = version;
  return [
    { layout: inFolder('image'), repository: pinned.repository, tag, digest: image.digest, sboms },
    { layout: inFolder('chart'), repository: charted, tag, digest: chart.digest, sboms: [] },
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

/** As sha256sum writes and checks them: of what is published as files. What goes into a registry is in the notes, by its digest. */
function checksums(folder: string): string {
  const files = readdirSync(folder, { withFileTypes: true }).filter((one) => one.isFile());
  const lines = files
    .map(({ name }) => name)
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
