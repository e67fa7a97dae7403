import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { valuesFor } from '../../../scripts/release/chart.ts';
import { krewManifest } from '../../../scripts/release/krew.ts';

const values = readFileSync(join(import.meta.dirname, '../../../deploy/chart/values.yaml'), 'utf8');

test('the chart of a release has its image, and says of everything else what it always says', () => {
  const image = { registry: 'registry.example', digest: `sha256:${'1'.repeat(64)}` };
  const changed = valuesFor(values, image);
  const before = parse(values) as { image: object };
  expect(parse(changed)).toEqual({ ...before, image: { ...before.image, ...image } });
  const differing = changed.split('\n').filter((line) => !values.split('\n').includes(line));
  expect(differing).toHaveLength(2);
  expect(() => valuesFor('image: {}', image)).toThrow('image.registry');
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
