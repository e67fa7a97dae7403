import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';

import { bundledPackages } from '../../../scripts/bundled.ts';
import { debianComponents, nodeComponent, npmComponents, purl } from '../../../scripts/release/contents.ts';
import { readLock } from '../../../scripts/release/lock.ts';
import { sbomOf } from '../../../scripts/release/sbom.ts';

const lock = readLock();
const described = {
  ...{ name: 'keepalive-operator', version: '0.1.0', license: 'Apache-2.0', architecture: 'arm64' },
  ...{ digest: `sha256:${'1'.repeat(64)}`, created: '2026-01-02T03:04:05Z' },
};

interface Document {
  readonly packages: readonly {
    readonly name: string;
    readonly versionInfo: string;
    readonly licenseDeclared: string;
    readonly checksums: readonly { readonly algorithm: string; readonly checksumValue: string }[];
    readonly externalRefs: readonly { readonly referenceLocator: string }[];
  }[];
  readonly relationships: readonly { readonly relationshipType: string }[];
}

/** As openPackage reads them, without what they hold. */
const opened = lock.packages.arm64.map(({ name, version }) => ({
  ...{ name, version, control: Buffer.of(), files: [] },
  source: { libc6: 'glibc', libatomic1: 'gcc-12 (12.2.0-14)' }[name],
}));

function documentOf(...folders: readonly string[]): Document {
  const components = [
    ...debianComponents('arm64', opened, lock),
    nodeComponent('arm64', lock),
    ...npmComponents('arm64', folders),
  ];
  return JSON.parse(sbomOf(described, components)) as Document;
}

const named = (document: Document, name: string) => document.packages.filter((one) => one.name === name);
const locatorsOf = (document: Document, name: string) =>
  named(document, name).flatMap((one) => one.externalRefs.map((two) => two.referenceLocator));

describe('what is in an image', () => {
  const document = documentOf(
    'node_modules/zod',
    'node_modules/tslib',
    'node_modules/tsyringe/node_modules/tslib',
  );

  test('is each Debian package of the lock, with what it is built from, by which flaws are known', () => {
    for (const { name, version, digest } of lock.packages.arm64)
      expect(named(document, name)).toMatchObject([
        {
          versionInfo: version,
          checksums: [{ algorithm: 'SHA256', checksumValue: digest.slice('sha256:'.length) }],
        },
      ]);
    const of = (name: string) => lock.packages.arm64.find((one) => one.name === name)?.version ?? '';
    const common = 'arch=arm64&distro=debian-12';
    expect(locatorsOf(document, 'libc6')).toEqual([
      `pkg:deb/debian/libc6@${encodeURIComponent(of('libc6'))}?${common}&upstream=glibc`,
    ]);
    expect(locatorsOf(document, 'libatomic1')).toEqual([
      `pkg:deb/debian/libatomic1@${encodeURIComponent(of('libatomic1'))}?${common}&upstream=gcc-12%4012.2.0-14`,
    ]);
    expect(locatorsOf(document, 'libelf1')).toEqual([`pkg:deb/debian/libelf1@${of('libelf1')}?${common}`]);
  });

  test('is Node, by the name under which its flaws are known', () => {
    const { version, integrity } = lock.node;
    expect(locatorsOf(document, 'node')).toEqual([
      `pkg:generic/node@${version}`,
      `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    ]);
    const [{ checksums } = { checksums: [] }] = named(document, 'node');
    const base64 = Buffer.from(checksums[0]?.checksumValue ?? '', 'hex').toString('base64');
    expect(`sha512-${base64}`).toBe(integrity.arm64);
  });

  test('is what was bundled, in each version, and koffi for that processor alone', () => {
    expect(named(document, 'tslib').map(({ versionInfo }) => versionInfo)).toHaveLength(2);
    expect(new Set(locatorsOf(document, 'tslib')).size).toBe(2);
    expect(named(document, 'zod')).toMatchObject([{ licenseDeclared: 'MIT' }]);
    const koffi = document.packages.map(({ name }) => name).filter((name) => name.includes('koffi'));
    expect(koffi).toEqual(['@koromix/koffi-linux-arm64', 'koffi']);
  });

  test('is all contained in the one thing that is described', () => {
    const kinds = document.relationships.map(({ relationshipType }) => relationshipType);
    expect(kinds).toEqual(['DESCRIBES', ...document.packages.slice(1).map(() => 'CONTAINS')]);
  });

  test('is known by package-lock.json, or there is no list', () => {
    expect(() => documentOf('node_modules/nobody-has-this')).toThrow('node_modules/nobody-has-this');
  });
});

test.each([
  ['npm', '@koromix/koffi-linux-x64', '3.3.4', 'pkg:npm/%40koromix/koffi-linux-x64@3.3.4'],
  ['deb/debian', 'libstdc++6', '1:2+b1', 'pkg:deb/debian/libstdc%2B%2B6@1%3A2%2Bb1'],
])('a package of %s has the address that scanners expect', (type, name, version, address) => {
  expect(purl(type, name, version)).toBe(address);
});

test('packages are found in a bundle by what stands in it, and not by what was only looked at', async () => {
  const bundle = await build({
    stdin: {
      // The second is free of side effects: of what nobody uses nothing is kept.
      contents: "import ms from 'ms'; import { z } from 'zod'; console.log(ms('1s'));",
      resolveDir: join(import.meta.dirname, '../../..'),
    },
    ...{ bundle: true, write: false, metafile: true, platform: 'node', format: 'esm' },
  });
  expect(Object.keys(bundle.metafile.inputs).join()).toContain('node_modules/zod/');
  expect(bundledPackages([bundle.metafile])).toEqual(['node_modules/ms']);
});

test.each([
  ['node_modules/a/lib/index.js', 1, ['node_modules/a']],
  ['node_modules/a/lib/index.js', 0, []],
  ['node_modules/@a/b/index.js', 1, ['node_modules/@a/b']],
  ['node_modules/a/node_modules/@b/c/index.js', 1, ['node_modules/a/node_modules/@b/c']],
  ['src/main.ts', 1, []],
])('%s, of which %i bytes are in a bundle, is of %j', (path, bytesInOutput, folders) => {
  const outputs = {
    'main.mjs': { bytes: 1, imports: [], exports: [], inputs: { [path]: { bytesInOutput } } },
  };
  expect(bundledPackages([{ outputs }])).toEqual(folders);
});
