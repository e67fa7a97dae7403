import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { generatedFiles } from '../../../scripts/generated-files.ts';

const root = join(import.meta.dirname, '../../..');
const files = Object.entries(generatedFiles());

test.each(files)('%s is what src/ says', async (path, content) => {
  const present = await readFile(join(root, path), 'utf8').catch(() => '');
  if (present === content) return;
  throw new Error(`${path} is not what src/ says: run \`npm run generate\` and commit what it writes`);
});

test('kustomize applies every CRD that is generated', async () => {
  const kustomization = await readFile(join(root, 'crds/kustomization.yaml'), 'utf8');
  const crds = files.map(([path]) => path).filter((path) => path.startsWith('crds/'));
  expect(crds).toHaveLength(3);
  for (const path of crds) expect(kustomization).toContain(`- ${path.slice('crds/'.length)}\n`);
});

test('whoever contributes is told of every file that is generated', async () => {
  const page = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
  const [, told = ''] = /^\*\*Generated\*\* by (.+?)\n\n/ms.exec(page) ?? [];
  const names = [...told.matchAll(/`((?:crds|deploy|docs)\/[^`]*)`/g)].map(([, name = '']) => name);
  const isTold = (path: string) =>
    names.some((name) => path === name || (name.endsWith('/') && path.startsWith(name)));
  expect(files.map(([path]) => path).filter((path) => !isTold(path))).toEqual([]);
});

test('whoever contributes is told by name of every template of the chart that is written by hand', async () => {
  const made = files.map(([path]) => path);
  const all = await readdir(join(root, 'deploy/chart/templates'));
  const byHand = all.filter((name) => !made.includes(`deploy/chart/templates/${name}`)).sort();
  const page = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
  const [, told = ''] = /`deploy\/chart\/templates\/` but (.+?);/s.exec(page) ?? [];
  expect([...told.matchAll(/`(.+?)`/g)].map(([, name]) => name).sort()).toEqual(byHand);
  const decision = await readFile(join(root, 'docs/adr/0022-a-chart-made-from-the-manifests.md'), 'utf8');
  const [, those = ''] = /written by hand \((.+?)\)/.exec(decision) ?? [];
  expect(those.split(', ')).toHaveLength(byHand.length);
});
