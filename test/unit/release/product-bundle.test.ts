import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { build } from 'esbuild';

import { productBundle } from '../../../scripts/product-bundle.ts';

const root = join(import.meta.dirname, '../../..');

test('of undici a pod loads what carries its requests, and nothing that answers in the place of a server', async () => {
  const { metafile } = await build({
    ...{ ...productBundle, absWorkingDir: root, entryPoints: ['src/kube/connection.ts'] },
    ...{ write: false, metafile: true, outdir: 'dist' },
  });
  const files = Object.keys(metafile.inputs).filter((path) => path.includes('/undici/'));
  expect(files).toContain('node_modules/undici/lib/dispatcher/client-h2.js');
  expect(
    files.filter((path) => /\/undici\/(?:index\.js$|lib\/(?:cache|mock|web\/websocket)\/)/.test(path)),
  ).toEqual([]);
});
