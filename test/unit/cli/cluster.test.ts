import { chmodSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { delimiter } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import type { KeyPair } from '../../../src/ops/certificate.ts';
import { issue } from '../../../src/ops/certificate-issue.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';

let server: FakeApiServer;
let folder: Folder;
beforeEach(async () => {
  server = await FakeApiServer.start();
  folder = new Folder({ kubeconfig: kubeconfig(server.url) });
});
afterEach(async () => {
  folder[Symbol.dispose]();
  // One of them closes it before.
  await server.close();
});

function kubeconfig(url: string): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: url } }],
    users: [{ name: 'u', user: {} }],
    contexts: [
      { name: 'here', context: { cluster: 'c', user: 'u', namespace: 'db' } },
      { name: 'staging', context: { cluster: 'gone', user: 'u' } },
    ],
    'current-context': 'here',
  });
}
const ask = (...argv: string[]) =>
  keepalive(['status', '--kubeconfig', `${folder.path}/kubeconfig`, ...argv]);

/** By what the path begins with; of anything else there is none. */
function answering(answers: Readonly<Record<string, Answer>>): void {
  const none = json({ metadata: { resourceVersion: '1' }, items: [] });
  const kinds = json({ resources: [{ name: 'keepalivepolicies' }] });
  server.otherwise = (response, asked) => {
    const key = Object.keys(answers).find((start) => asked.path.startsWith(start));
    const byDefault = asked.path === '/apis/keepalive.dev/v1alpha1' ? kinds : none;
    return (key === undefined ? byDefault : answers[key])?.(response, asked);
  };
}
const refused = status(403, 'Forbidden');

describe('who asks a cluster is told what to do', () => {
  test('where there is nothing to reach one by', async () => {
    const { code, stderr } = await keepalive(['status', '--kubeconfig', '/nowhere']);
    expect([code, stderr]).toEqual([2, 'error: --kubeconfig /nowhere: there is no such file\n']);
  });

  test('where the context is spelled wrong', async () => {
    const { code, stderr } = await ask('--context', 'stagin');
    expect([code, stderr]).toEqual([
      2,
      'error: --context stagin: the kubeconfig has here, staging. Did you mean staging?\n',
    ]);
  });

  test('where nothing answers', async () => {
    const { url } = server;
    await server.close();
    const { code, stderr } = await ask();
    expect(code).toBe(2);
    expect(stderr).toContain(`no answer from the API server (context here, ${url}): ECONNREFUSED`);
    expect(stderr).toContain('is the cluster up');
  });

  test('where the product is not installed', async () => {
    answering({ '/apis/keepalive.dev': status(404, 'NotFound') });
    const { code, stderr } = await ask();
    expect(code).toBe(2);
    expect(stderr).toContain('keepalive-operator is not installed in this cluster');
  });

  test('where the login is not accepted', async () => {
    answering({ '/': status(401, 'Unauthorized') });
    const { code, stderr } = await ask();
    expect([code, stderr]).toEqual([2, expect.stringContaining('does not accept who you are (context here')]);
  });

  test('where he may read one namespace only: which is what then counts', async () => {
    answering({
      '/apis/keepalive.dev/v1alpha1/keepalivepolicies': refused,
      '/apis/keepalive.dev/v1alpha1/clusterkeepalivepolicies': refused,
      '/api/v1/nodes': refused,
    });
    const all = await ask();
    expect([all.code, all.stderr]).toEqual([
      2,
      expect.stringContaining('you may not list keepalivepolicies: name a namespace that is yours by -n'),
    ]);
    const { code, stdout } = await ask('-n', 'db');
    expect(code).toBe(0);
    expect(stdout).toContain('unknown: cluster policies: you may not list clusterkeepalivepolicies\n');
  });
});

describe('of several files in KUBECONFIG', () => {
  const { KUBECONFIG } = process.env;
  afterEach(() => {
    if (KUBECONFIG === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = KUBECONFIG;
  });
  /** `keepalive doctor`, which names its cluster first; what is named is in a folder of its own. */
  const headWith = async (...names: string[]) => {
    process.env.KUBECONFIG = names.map((name) => name && `${folder.path}/${name}`).join(delimiter);
    const { stdout, stderr } = await keepalive(['doctor']);
    return stderr === '' ? stdout.split('\n')[0] : stderr;
  };
  beforeEach(() => {
    answering({});
    folder.write('other', kubeconfig('http://127.0.0.1:1').replaceAll('"here"', '"there"'));
    folder.write('contexts', JSON.stringify({ contexts: [] }));
  });

  test('the first current context counts, and of two clusters of one name the first', async () => {
    expect(await headWith('kubeconfig', 'other')).toBe(`context here, ${server.url}`);
    expect(await headWith('contexts', 'kubeconfig', 'other')).toBe(`context here, ${server.url}`);
    expect(await headWith('other', 'kubeconfig')).toContain('(context there, http://127.0.0.1:1)');
  });

  test('what is not there, and a name that is empty, is passed over', async () => {
    expect(await headWith('kubeconfig', 'missing')).toBe(`context here, ${server.url}`);
    expect(await headWith('', 'missing', 'kubeconfig')).toBe(`context here, ${server.url}`);
  });

  test('there is none to ask by where none of them is there', async () => {
    expect(await headWith('', '')).toContain('error: KUBECONFIG=:: no such file is there');
    expect(await headWith('missing')).toContain('no such file is there: set it to one that is');
  });

  test('one that is no kubeconfig is named', async () => {
    folder.write('broken', '{');
    expect(await headWith('kubeconfig', 'broken')).toContain('broken cannot be read as a kubeconfig');
  });
});

test('a list is read to its last page', async () => {
  const item = (name: string) => ({
    metadata: { name, namespace: 'db', uid: name, resourceVersion: '1', generation: 1 },
    spec: { podSelector: {}, path: [{ preset: 'aws-nlb' }] },
  });
  answering({
    '/apis/keepalive.dev/v1alpha1/keepalivepolicies': (response, asked) =>
      asked.query.continue === undefined
        ? json({ metadata: { resourceVersion: '1', continue: 'more' }, items: [item('a')] })(response, asked)
        : json({ metadata: { resourceVersion: '1' }, items: [item('b')] })(response, asked),
  });
  const { stdout } = await ask('-o', 'json');
  const { policies } = JSON.parse(stdout) as { policies: { name: string }[] };
  expect(policies.map(({ name }) => name)).toEqual(['a', 'b']);
});

describe('by TLS, as kubectl does', () => {
  let pair: KeyPair;
  beforeAll(async () => {
    pair = await issue({ host: 'localhost', now: new Date(), lifeMs: 3_600_000 });
  });
  beforeEach(async () => {
    await server.close();
    server = await FakeApiServer.startTls(pair);
    answering({});
    folder.write('ca.crt', pair.authorities.join(''));
    plugin(
      `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"printed"}}'`,
    );
  });

  function plugin(line: string): void {
    folder.write('plugin.sh', `#!/bin/sh\n${line}\n`);
    chmodSync(`${folder.path}/plugin.sh`, 0o755);
  }
  /** `keepalive status`, logged in by what the plugin prints. */
  const askWith = (cluster: object = {}) => {
    const config = JSON.parse(kubeconfig(server.url)) as {
      clusters: { cluster: object }[];
      users: { user: object }[];
    };
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: `${folder.path}/plugin.sh`,
      interactiveMode: 'Never',
    };
    for (const one of config.clusters)
      one.cluster = { ...one.cluster, 'certificate-authority': `${folder.path}/ca.crt`, ...cluster };
    for (const one of config.users) one.user = { exec };
    folder.write('kubeconfig', JSON.stringify(config));
    return ask();
  };
  const tokens = () => new Set(server.asked.map(({ headers }) => headers.authorization));

  test('every request has the token that a plugin of the kubeconfig prints', async () => {
    expect(await askWith()).toMatchObject({ code: 0, stderr: '' });
    expect(tokens()).toEqual(new Set(['Bearer printed']));
  });

  test('what a plugin says that fails is told, and nothing is asked', async () => {
    plugin('echo the session is over >&2; exit 3');
    const { code, stderr } = await askWith();
    expect(code).toBe(2);
    expect(stderr).toContain(
      `cannot log in (context here, ${server.url}): the session is over. Mend that user of the kubeconfig`,
    );
    expect(server.asked).toEqual([]);
  });

  test('an authority that the kubeconfig does not name is not trusted', async () => {
    const other = await issue({ host: 'localhost', now: new Date(), lifeMs: 3_600_000 });
    folder.write('ca.crt', other.authorities.join(''));
    const { code, stderr } = await askWith();
    expect(code).toBe(2);
    expect(stderr).toContain('its certificate is not one that the kubeconfig trusts');
    expect(server.asked).toEqual([]);
  });

  describe('through the proxy that a cluster names', () => {
    let proxy: Server;
    beforeEach(async () => {
      proxy = createServer();
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    });
    afterEach(() => {
      proxy.close();
    });
    const url = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

    /** Whereto it was asked to open a way; all of them lead to the API server. */
    const opening = () => {
      const opened = new Set<string>();
      proxy.on('connect', ({ url: target = '' }, client) => {
        opened.add(target);
        const { hostname, port } = new URL(server.url);
        const beyond = connect(Number(port), hostname, () => {
          client.write('HTTP/1.1 200 OK\r\n\r\n');
          client.pipe(beyond).pipe(client);
        });
        beyond.on('error', () => client.destroy());
        client.on('error', () => beyond.destroy());
      });
      return opened;
    };

    test('all is asked', async () => {
      const opened = opening();
      expect(await askWith({ 'proxy-url': url() })).toMatchObject({ code: 0, stderr: '' });
      expect(opened).toEqual(new Set([new URL(server.url).host]));
      expect(tokens()).toEqual(new Set(['Bearer printed']));
    });

    describe('or else the environment', () => {
      const { env } = process;
      beforeEach(() => {
        process.env = { ...env, HTTPS_PROXY: url() };
      });
      afterEach(() => {
        process.env = env;
      });
      const far = { server: 'https://api.invalid:6443', 'tls-server-name': 'localhost' };

      test('all is asked', async () => {
        const opened = opening();
        expect(await askWith(far)).toMatchObject({ code: 0, stderr: '' });
        expect(opened).toEqual(new Set(['api.invalid:6443']));
        expect(tokens()).toEqual(new Set(['Bearer printed']));
      });

      test('but for what NO_PROXY names', async () => {
        process.env.NO_PROXY = '.invalid';
        const opened = opening();
        const { code, stderr } = await askWith(far);
        expect([code, stderr]).toEqual([
          2,
          expect.stringMatching(/api\.invalid:6443\): (ENOTFOUND|EAI_AGAIN)/),
        ]);
        expect(opened).toEqual(new Set());
      });

      test('and the one of the cluster before it', async () => {
        process.env.HTTPS_PROXY = 'http://127.0.0.1:1';
        const opened = opening();
        expect(await askWith({ ...far, 'proxy-url': url() })).toMatchObject({ code: 0, stderr: '' });
        expect(opened).toEqual(new Set(['api.invalid:6443']));
      });
    });

    test('nothing is asked where it refuses, and that is told', async () => {
      proxy.on('connect', (_request, client) => client.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
      const { code, stderr } = await askWith({ 'proxy-url': url() });
      expect(code).toBe(2);
      expect(stderr).toContain('(403)');
      expect(stderr).toContain('(proxy-url), or else HTTPS_PROXY, does not let you through');
      expect(server.asked).toEqual([]);
    });
  });
});
