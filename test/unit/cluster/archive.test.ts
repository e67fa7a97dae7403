import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from '@jest/globals';

import { tarOf } from '../../../scripts/release/archive.ts';
import { architecturesIn, archivesFor } from '../../cluster/archive.ts';

const folder = mkdtempSync(join(tmpdir(), 'keepalive-archive-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** An archive that has these files, each as JSON. */
async function archive(name: string, files: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(folder, name);
  const entries = Object.entries(files).map(([at, content]) => ({
    ...{ path: at, mode: 0o644, body: Buffer.from(JSON.stringify(content)) },
  }));
  writeFileSync(path, await tarOf(entries));
  return path;
}

const oci = (name: string, ...architectures: readonly string[]) =>
  archive(
    name,
    Object.assign(
      { 'index.json': { manifests: architectures.map((one) => ({ digest: `sha256:${one}` })) } },
      ...architectures.map((one) => ({
        [`blobs/sha256/${one}`]: { config: { digest: `sha256:${one}-config` }, layers: [] },
        [`blobs/sha256/${one}-config`]: { architecture: one },
      })),
    ) as Record<string, unknown>,
  );

test('an archive of OCI is for the machines that the configurations of its images name', async () => {
  expect([...(await architecturesIn(await oci('one.tar', 'arm64')))]).toEqual(['arm64']);
  expect([...(await architecturesIn(await oci('two.tar', 'amd64', 'arm64')))]).toEqual(['amd64', 'arm64']);
});

test('so is one whose index names another, as the one of a release does', async () => {
  const nested = await archive('nested.tar', {
    'index.json': { manifests: [{ digest: 'sha256:all' }] },
    'blobs/sha256/all': { manifests: [{ digest: 'sha256:one' }] },
    'blobs/sha256/one': { config: { digest: 'sha256:config' } },
    'blobs/sha256/config': { architecture: 'arm64' },
  });
  expect([...(await architecturesIn(nested))]).toEqual(['arm64']);
});

test('an archive of docker is for the machine of its configuration', async () => {
  const files = { 'manifest.json': [{ Config: 'abc.json' }], 'abc.json': { architecture: 'amd64' } };
  expect([...(await architecturesIn(await archive('docker.tar', files)))]).toEqual(['amd64']);
});

test('what is no image is told as that', async () => {
  const other = await archive('other.tar', { 'package.json': {} });
  await expect(architecturesIn(other)).rejects.toThrow('other.tar is no archive of an image');
});

test('a machine gets those that it can run', async () => {
  const [own, foreign, both] = [
    await oci('a.tar', 'amd64'),
    await oci('b.tar', 'arm64'),
    await oci('c.tar', 'arm64', 'amd64'),
  ];
  expect(await archivesFor('amd64', [own, foreign, both])).toEqual([own, both]);
  expect(await archivesFor('arm64', [own, foreign, both])).toEqual([foreign, both]);
});
