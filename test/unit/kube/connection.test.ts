import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { inCluster, openConnection, serviceAccount } from '../../../src/kube/connection.ts';
import { HandClock } from './hand-clock.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'account-'));
  await writeFile(join(root, 'token'), 'first\n');
  await writeFile(join(root, 'ca.crt'), 'authority');
});

afterEach(() => rm(root, { recursive: true }));

test('a rotated token is in use a minute later at most', async () => {
  const clock = new HandClock();
  const account = serviceAccount(root, clock);
  await writeFile(join(root, 'token'), 'second');
  clock.advance(59_999);
  expect(account()).toEqual({ token: 'first', ca: 'authority' });
  clock.advance(1);
  expect(account()).toEqual({ token: 'second', ca: 'authority' });
});

test.each([
  ['10.96.0.1', 'https://10.96.0.1:443'],
  ['fd00::1', 'https://[fd00::1]:443'],
])('a pod reaches the API server at %s as its service account', async (host, server) => {
  const connection = inCluster({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '443' }, root);
  expect(connection.server).toBe(server);
  expect(await connection.headers()).toEqual({ authorization: 'Bearer first' });
  await connection.close();
});

test('a pod knows as which account it asks, by the token that it has now', async () => {
  const claims = {
    'kubernetes.io': {
      namespace: 'keepalive-system',
      serviceaccount: { name: 'keepalive-controller', uid: '8a1f' },
    },
  };
  await writeFile(
    join(root, 'token'),
    `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.e30`,
  );
  const connection = inCluster({ KUBERNETES_SERVICE_HOST: '10.96.0.1' }, root);
  expect(connection.account?.()).toEqual({
    ...{ namespace: 'keepalive-system', name: 'keepalive-controller', uid: '8a1f' },
  });
  await connection.close();
});

test('outside of a cluster it says what to do', () => {
  expect(() => inCluster({}, root)).toThrow('run inside a pod, or set KUBECONFIG');
});

test('a kubeconfig file names the server and who we are', async () => {
  const file = join(root, 'kubeconfig');
  const config = {
    clusters: [
      { name: 'c', cluster: { server: 'https://api.example:6443', 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'u', user: { token: 'of-the-file' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(file, JSON.stringify(config));
  const connection = await openConnection({ KUBECONFIG: file });
  expect(connection.server).toBe('https://api.example:6443');
  expect(await connection.headers()).toEqual({ authorization: 'Bearer of-the-file' });
  expect(connection.dispatcher()).toBe(connection.dispatcher());
  await connection.close();
});
