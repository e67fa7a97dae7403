import { win32 } from 'node:path';

import { expect, test } from '@jest/globals';

import { withSlashes } from '../../../src/cli/input.ts';

test('a path of Windows is written as forges, patches and SARIF write it', () => {
  const below = win32.relative('C:\\work', 'C:\\work\\apps\\mongo.yaml');
  expect(withSlashes(below, win32.sep)).toBe('apps/mongo.yaml');
});

test('a name on Linux keeps what is no separator there', () => {
  expect(withSlashes('a\\b/c.yaml', '/')).toBe('a\\b/c.yaml');
});
