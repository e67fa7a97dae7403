import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { released } from '../../../scripts/release/chart.ts';
import { krewManifest } from '../../../scripts/release/krew.ts';

const image = { registry: 'registry.example/team', digest: `sha256:${'1'.repeat(64)}` };
const inClone = (path: string) =>
  readFileSync(join(import.meta.dirname, '../../../deploy/chart', path), 'utf8');

test.each<[path: string, says: string]>([
  ['values.yaml', `  registry: ${image.registry}`],
  ['Chart.yaml', `  keepalive.dev/image-digest: ${image.digest}`],
  ['README.md', `| \`image.registry\` | \`"${image.registry}"\` |`],
])('%s of a published chart has its image, and says of everything else what it always says', (path, says) => {
  const [before, after] = [inClone(path), released(path, image)];
  const differing = after.split('\n').filter((line) => !before.split('\n').includes(line));
  expect(differing).toHaveLength(1);
  expect(differing[0]).toContain(says);
  if (path.endsWith('.yaml')) expect(() => parse(after) as unknown).not.toThrow();
});

test('krew is told of one archive for Linux and macOS', () => {
  const url = 'https://example.com/a.tar.gz';
  const plugin = { version: '0.1.0', description: 'Keeps them alive', url, sha256: 'ab' };
  expect(parse(krewManifest(plugin))).toMatchObject({
    metadata: { name: 'keepalive' },
    spec: {
      version: 'v0.1.0',
      platforms: [{ uri: url, sha256: 'ab', bin: 'keepalive.mjs' }],
    },
  });
});
