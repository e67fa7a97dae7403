import { spawnSync } from 'node:child_process';

import { expect, test } from '@jest/globals';

import { repository } from '../cluster/place.ts';
import { Folder } from './cli/folder.ts';

test('where the tests cannot be prepared, the line that counts them says so too', () => {
  using folder = new Folder({});
  const { stdout, stderr, status } = spawnSync(process.execPath, ['test/all.ts'], {
    ...{ cwd: repository, encoding: 'utf8' },
    env: { ...process.env, KEEPALIVE_PROGRAMS: folder.path },
  });
  expect([status, stdout]).toEqual([1, '0 passed, 1 failed\n']);
  expect(stderr).not.toBe('');
});
