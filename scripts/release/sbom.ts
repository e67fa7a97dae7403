import type { Component } from './contents.ts';
import { purl } from './contents.ts';

/** What an SBOM is of. */
export interface Described {
  /** As `keepalive-operator`. */
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly architecture: string;
  /** Of its manifest. */
  readonly digest: string;
  /** When the commit was made that it is made of: whoever makes it again makes the same. */
  readonly created: string;
}

const unknown = 'NOASSERTION';
const imageId = 'SPDXRef-image';

/** All that an image is made of, as SPDX 2.3. */
export function sbomOf(described: Described, components: readonly Component[]): string {
  const { name, version, architecture, digest, created, license } = described;
  const packages = components.map((one) => ({
    SPDXID: idOf(one),
    name: one.name,
    ...factsOf(one.version, one.license, one.digest),
    externalRefs: [reference(one.purl), ...(one.cpe === undefined ? [] : [security(one.cpe)])],
  }));
  const twice = packages.find(({ SPDXID }, at) => packages.findIndex((one) => one.SPDXID === SPDXID) < at);
  if (twice !== undefined) throw new Error(`${twice.name} ${twice.versionInfo} is there twice`);
  const image = {
    SPDXID: imageId,
    name,
    ...factsOf(version, license, digest),
    primaryPackagePurpose: 'CONTAINER',
    externalRefs: [reference(purl('oci', name, digest, { arch: architecture, tag: version }))],
  };
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${name}-${version}-${architecture}`,
    documentNamespace: `https://keepalive.dev/spdx/${digest.replace(':', '/')}`,
    creationInfo: { created, creators: [`Tool: ${name}-release`] },
    packages: [image, ...packages],
    relationships: [
      related('SPDXRef-DOCUMENT', 'DESCRIBES', imageId),
      ...packages.map(({ SPDXID }) => related(imageId, 'CONTAINS', SPDXID)),
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function factsOf(version: string, license: string | undefined, digest: string) {
  return {
    versionInfo: version,
    downloadLocation: unknown,
    filesAnalyzed: false,
    licenseConcluded: unknown,
    licenseDeclared: license ?? unknown,
    copyrightText: unknown,
    checksums: [checksumOf(digest)],
  };
}

/** Two of one name differ in their version, and Debian's names in no way from npm's. */
function idOf({ purl: address }: Component): string {
  const [type = ''] = address.slice('pkg:'.length).split('/');
  const [named = ''] = address.slice(`pkg:${type}/`.length).split('?');
  return `SPDXRef-${type}-${named.replaceAll(/[^A-Za-z0-9.-]+/g, '-')}`;
}

/** SPDX wants digits of base 16, npm writes base 64. */
function checksumOf(digest: string) {
  const [, algorithm = '', value = ''] = /^(sha\d+)[:-](.+)$/.exec(digest) ?? [];
  const checksumValue = digest.includes(':') ? value : Buffer.from(value, 'base64').toString('hex');
  return { algorithm: algorithm.toUpperCase(), checksumValue };
}

function related(from: string, how: string, to: string) {
  return { spdxElementId: from, relationshipType: how, relatedSpdxElement: to };
}

function reference(locator: string) {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: locator };
}

function security(locator: string) {
  return { referenceCategory: 'SECURITY', referenceType: 'cpe23Type', referenceLocator: locator };
}
