import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { takeSecrets } from '../../../scripts/release/secrets.ts';
import { repository } from '../../cluster/place.ts';
import { Folder } from '../cli/folder.ts';

const environment = {
  PATH: '/usr/bin',
  COSIGN_PASSWORD: 'hush',
  COSIGN_KEY: 'pem',
  SIGNING: 'pem',
  HOME: '/',
};

test.each([
  [
    undefined,
    { COSIGN_PASSWORD: 'hush', COSIGN_KEY: 'pem' },
    { PATH: '/usr/bin', SIGNING: 'pem', HOME: '/' },
  ],
  [
    'env://SIGNING',
    { COSIGN_PASSWORD: 'hush', COSIGN_KEY: 'pem', SIGNING: 'pem' },
    { PATH: '/usr/bin', HOME: '/' },
  ],
])('with the key %s the signer alone has what is to be kept', (key, taken, left) => {
  const everybodys = { ...environment };
  expect(takeSecrets(everybodys, key)).toEqual(taken);
  expect(everybodys).toEqual(left);
});

test('what a release starts inherits neither key nor password', () => {
  using folder = new Folder({ 'bin/git': '#!/bin/sh\nenv > "$SEEN"\nexit 1\n' });
  chmodSync(join(folder.path, 'bin/git'), 0o755);
  const seen = join(folder.path, 'seen');
  const secrets = { COSIGN_PASSWORD: 'hush', COSIGN_KEY: 'pem', SIGNING: 'pem' };
  const { stderr } = spawnSync(
    process.execPath,
    ['scripts/release.ts', '--registry', 'registry.example', '--key', 'env://SIGNING'],
    {
      ...{ cwd: repository, encoding: 'utf8' },
      env: { ...process.env, ...secrets, SEEN: seen, PATH: `${folder.path}/bin:${process.env.PATH}` },
    },
  );
  expect(stderr).toContain('git log');
  const names = readFileSync(seen, 'utf8')
    .split('\n')
    .map((line) => line.split('=')[0]);
  expect(names).toContain('SEEN');
  for (const name of Object.keys(secrets)) expect(names).not.toContain(name);
});
