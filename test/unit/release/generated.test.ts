import { expect, test } from '@jest/globals';

import { holdGenerated } from '../../../scripts/release/generated.ts';

const generated = { 'deploy/chart/Chart.yaml': 'version: 0.2.0', 'docs/reference.md': '# Reference' };
const held = (present: Readonly<Record<string, string>>) => () => {
  holdGenerated(generated, (path) => present[path] ?? '');
};

test('what is generated from this version can be published', () => {
  expect(held({ ...generated, 'docs/install.md': 'by hand' })).not.toThrow();
});

test.each([
  ['is of the version before', { ...generated, 'deploy/chart/Chart.yaml': 'version: 0.1.0' }],
  ['is not there', { 'docs/reference.md': '# Reference' }],
])('a file that %s is named, with what to do', (_what, present) => {
  expect(held(present)).toThrow(/: deploy\/chart\/Chart\.yaml\. npm run generate/);
});
