import { delimiter } from 'node:path';

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { FakeApiServer, json } from '../../support/api-server.ts';
import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { yaml } from './manifests.ts';

// The first test loads client-node, which takes seconds, and on a busy machine many.
jest.setTimeout(120_000);

let server: FakeApiServer;
let folder: Folder;
const { env } = process;
beforeEach(async () => {
  server = await FakeApiServer.start();
  server.otherwise = json({ resources: [{ name: 'keepalivepolicies' }], metadata: {}, items: [] });
  folder = new Folder({});
  process.env = { ...env };
});
afterEach(async () => {
  process.env = env;
  folder[Symbol.dispose]();
  await server.close();
});

const context = (name: string, fields: object = { cluster: 'c', user: 'u' }) => ({ name, context: fields });
/** As somebody has it, but for what is said to be otherwise. */
const kubeconfig = (otherwise: object = {}) =>
  yaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: server.url } }],
    users: [{ name: 'u', user: {} }],
    contexts: [context('here')],
    'current-context': 'here',
    ...otherwise,
  });
/** The first line of `keepalive doctor`, which names its cluster; or why there is none. */
const headWith = async (...argv: string[]) => {
  const { stdout, stderr } = await keepalive(['doctor', ...argv]);
  return stderr === '' ? stdout.split('\n')[0] : stderr;
};
const headOf = (text: string, ...argv: string[]) => {
  folder.write('kubeconfig', text);
  return headWith('--kubeconfig', `${folder.path}/kubeconfig`, ...argv);
};
const reached = () => `context here, ${server.url}`;

describe('what is not whole does not stand in the way of what is', () => {
  test.each<[string, object[], object[], object[]]>([
    ['a context without a cluster', [context('dev', { namespace: 'dev' })], [], []],
    ['a context without anything', [{ name: 'dev' }], [], []],
    ['a cluster without a server', [], [{ name: 'new', cluster: { 'insecure-skip-tls-verify': true } }], []],
    ['a cluster without anything', [], [{ name: 'new', cluster: null }], []],
    ['entries without a name', [{ context: {} }], [{ cluster: {} }], [{ user: {} }]],
    ['a user without anything', [], [], [{ name: 'new' }]],
  ])('%s', async (_sentence, contexts, clusters, users) => {
    const text = kubeconfig({
      contexts: [...contexts, context('here')],
      clusters: [...clusters, { name: 'c', cluster: { server: server.url } }],
      users: [...users, { name: 'u', user: {} }],
    });
    expect(await headOf(text)).toBe(reached());
  });

  test.each(['', '# nothing yet\n', '---\n'])('a file of KUBECONFIG that says nothing: %j', async (text) => {
    folder.write('empty', text);
    folder.write('kubeconfig', kubeconfig());
    process.env.KUBECONFIG = ['empty', 'kubeconfig'].map((name) => `${folder.path}/${name}`).join(delimiter);
    expect(await headWith()).toBe(reached());
  });

  test('also in the kubeconfig that is there by default', async () => {
    delete process.env.KUBECONFIG;
    process.env.HOME = folder.path;
    folder.write('.kube/config', kubeconfig({ contexts: [context('dev', {}), context('here')] }));
    expect(await headWith()).toBe(reached());
  });
});

describe('where what is not whole is chosen, it is said what it lacks', () => {
  test('a context its cluster', async () => {
    const contexts = [context('here'), context('dev', { namespace: 'dev' })];
    const words =
      'error: context dev names no cluster: `kubectl config set-context dev --cluster=NAME` sets it (there is c), or choose another --context\n';
    expect(await headOf(kubeconfig({ contexts }), '--context', 'dev')).toBe(words);
    expect(await headOf(kubeconfig({ contexts, 'current-context': 'dev' }))).toBe(words);
  });

  test('a cluster its server', async () => {
    expect(await headOf(kubeconfig({ clusters: [{ name: 'c', cluster: {} }] }))).toBe(
      'error: cluster c of context here has no server: `kubectl config set-cluster c --server=https://…` sets it, or choose another --context\n',
    );
  });

  test('the kubeconfig a cluster, or a user, of that name', async () => {
    expect(await headOf(kubeconfig({ clusters: [] }))).toContain(
      'error: context here names cluster c: the kubeconfig has no cluster at all. Add it',
    );
    expect(await headOf(kubeconfig({ users: [{ name: 'v' }] }))).toContain(
      'error: context here names user u: the kubeconfig has v. Add it',
    );
  });

  test('the kubeconfig a context of that name, or any', async () => {
    expect(await headOf(kubeconfig({ 'current-context': 'hero' }))).toBe(
      'error: current-context hero: the kubeconfig has here. Did you mean here?\n',
    );
    expect(await headOf(kubeconfig({ 'current-context': '' }))).toContain(
      'names no current context: choose one by --context, of here',
    );
    expect(await headOf('')).toContain('names no current context: choose one by --context, of no context');
  });

  test('what is no kubeconfig is not taken for an empty one', async () => {
    expect(await headOf('server\n')).toContain('cannot be read as a kubeconfig: it is no map');
  });
});
