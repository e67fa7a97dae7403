import { expect, test } from '@jest/globals';

import { cliReference } from '../../../scripts/cli-reference.ts';

test('the help of an option says its default in words, or none', () => {
  const help = cliReference();
  expect(help).not.toContain('(default: [])');
  expect(help).toContain('(default: this folder)\n');
});
