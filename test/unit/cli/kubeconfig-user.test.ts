import { chmodSync } from 'node:fs';

import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';

import type { KeyPair } from '../../../src/ops/certificate.ts';
import { issue } from '../../../src/ops/certificate-issue.ts';
import { FakeApiServer, json } from '../../support/api-server.ts';
import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { yaml } from './manifests.ts';

// The first test loads client-node, which takes seconds, and on a busy machine many.
jest.setTimeout(120_000);

let pair: KeyPair;
let server: FakeApiServer;
let folder: Folder;
beforeAll(async () => {
  pair = await issue({ host: 'localhost', now: new Date(), lifeMs: 3_600_000 });
});
beforeEach(async () => {
  server = await FakeApiServer.startTls(pair);
  server.otherwise = json({ resources: [{ name: 'keepalivepolicies' }], metadata: {}, items: [] });
  folder = new Folder({ 'kept/ca.crt': pair.authorities.join('') });
});
afterEach(async () => {
  folder[Symbol.dispose]();
  await server.close();
});

/** `keepalive status` as a user of a kubeconfig in the folder `kept`, which is not the one that it runs in. */
async function askAs(user: object, cluster: object = { 'certificate-authority': 'ca.crt' }) {
  folder.write(
    'kept/kubeconfig',
    yaml({
      clusters: [{ name: 'c', cluster: { server: server.url, ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'here',
    }),
  );
  return keepalive(['status', '--kubeconfig', `${folder.path}/kept/kubeconfig`]);
}
/** What every request said by a header. */
const said = (name: string) => [...new Set(server.asked.map(({ headers }) => headers[name]))];

describe('the token of a user', () => {
  test('is that of a file, beside the kubeconfig, before one that is written out', async () => {
    folder.write('kept/token', 'of-the-file\n');
    expect(await askAs({ tokenFile: 'token', token: 'written' })).toMatchObject({ code: 0, stderr: '' });
    expect(said('authorization')).toEqual(['Bearer of-the-file']);
  });

  test('is the one that is written out where the file is not there', async () => {
    expect(await askAs({ tokenFile: 'token', token: 'written' })).toMatchObject({ code: 0, stderr: '' });
    expect(said('authorization')).toEqual(['Bearer written']);
  });

  test('is none, and nothing is asked, where there is a file only, and that is not there', async () => {
    const { code, stderr } = await askAs({ tokenFile: 'token' });
    expect(code).toBe(2);
    expect(stderr).toContain(`no such file or directory, open '${folder.path}/kept/token'`);
    expect(server.asked).toEqual([]);
  });
});

describe('whom a user acts as', () => {
  test('is said whole', async () => {
    const user = {
      as: 'jane',
      'as-groups': ['readers'],
      'as-uid': '42',
      'as-user-extra': { reason: ['a look'], 'example.org/scopes': ['view'] },
    };
    expect(await askAs(user)).toMatchObject({ code: 0, stderr: '' });
    expect(said('impersonate-user')).toEqual(['jane']);
    expect(said('impersonate-group')).toEqual(['readers']);
    expect(said('impersonate-uid')).toEqual(['42']);
    expect(said('impersonate-extra-reason')).toEqual(['a look']);
    expect(said('impersonate-extra-example.org%2fscopes')).toEqual(['view']);
  });

  test.each([
    [
      { as: 'jane', 'as-groups': ['readers', 'writers'] },
      'has several as-groups, and keepalive can send one',
    ],
    [
      { as: 'jane', 'as-user-extra': { scopes: ['a', 'b'] } },
      'has several as-user-extra.scopes, and keepalive',
    ],
    [
      { 'as-groups': ['readers'], 'as-uid': '42' },
      'has as-groups, as-uid without `as`, which the API server',
    ],
  ])('is refused, and nothing is asked, where it cannot be said: %j', async (user, words) => {
    const { code, stderr } = await askAs(user);
    expect(code).toBe(2);
    expect(stderr).toContain(`error: user u of the kubeconfig ${words}`);
    expect(server.asked).toEqual([]);
  });
});

test('what is written out goes before the file that is named beside it', async () => {
  const data = (text: string) => Buffer.from(text).toString('base64');
  const user = {
    'client-certificate': 'gone.crt',
    'client-certificate-data': data(pair.certificate),
    'client-key': 'gone.key',
    'client-key-data': data(pair.key),
  };
  const authority = {
    'certificate-authority': 'gone-ca.crt',
    'certificate-authority-data': data(pair.authorities.join('')),
  };
  expect(await askAs(user, authority)).toMatchObject({ code: 0, stderr: '' });
  expect(server.asked).not.toEqual([]);
});

test('a login plugin with a folder in its name is beside the kubeconfig, and any other along PATH', async () => {
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'printed' },
  };
  const login = { apiVersion: credential.apiVersion, interactiveMode: 'Never' };
  folder.write('kept/bin/login', `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`);
  chmodSync(`${folder.path}/kept/bin/login`, 0o755);
  expect(await askAs({ exec: { ...login, command: './bin/login' } })).toMatchObject({ code: 0, stderr: '' });
  const args = [JSON.stringify({ ...credential, status: { token: 'echoed' } })];
  expect(await askAs({ exec: { ...login, command: 'echo', args } })).toMatchObject({ code: 0, stderr: '' });
  expect(said('authorization')).toEqual(['Bearer printed', 'Bearer echoed']);
});
