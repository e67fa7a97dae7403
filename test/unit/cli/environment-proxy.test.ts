import { describe, expect, test } from '@jest/globals';

import { proxyOf } from '../../../src/cli/environment-proxy.ts';

const proxy = 'http://proxy.example:3128';
const api = 'https://api.example.org:6443';

describe('a server is reached through', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['none where none is set', {}, undefined],
    ['that of HTTPS_PROXY', { HTTPS_PROXY: proxy }, proxy],
    ['that of https_proxy', { https_proxy: proxy }, proxy],
    [
      'that of HTTPS_PROXY before that of https_proxy',
      { HTTPS_PROXY: proxy, https_proxy: 'http://b' },
      proxy,
    ],
    ['that of https_proxy where HTTPS_PROXY is empty', { HTTPS_PROXY: '', https_proxy: proxy }, proxy],
    ['one that is written without its protocol', { HTTPS_PROXY: 'proxy.example:3128' }, proxy],
    ['one of another protocol', { HTTPS_PROXY: 'socks5://proxy.example' }, 'socks5://proxy.example'],
    ['none by HTTP_PROXY, which is for what is not encrypted', { HTTP_PROXY: proxy }, undefined],
    ['none where NO_PROXY names it', { HTTPS_PROXY: proxy, NO_PROXY: 'a, api.example.org' }, undefined],
    ['none where no_proxy names it', { HTTPS_PROXY: proxy, no_proxy: 'api.example.org,b' }, undefined],
    [
      'it where NO_PROXY, which comes first, does not',
      { HTTPS_PROXY: proxy, NO_PROXY: 'a', no_proxy: '*' },
      proxy,
    ],
  ])('%s', (_sentence, environment, expected) => {
    expect(proxyOf(api, environment)).toBe(expected);
  });

  test('none where it is not encrypted', () => {
    expect(proxyOf('http://api.example.org', { HTTPS_PROXY: proxy })).toBeUndefined();
  });

  test('none where it is no address, which is told by who asks it', () => {
    expect(proxyOf('https://[', { HTTPS_PROXY: proxy })).toBeUndefined();
  });

  test.each(['https://localhost:6443', 'https://127.8.0.1:6443', 'https://[::1]:6443'])(
    'none where it is %s, on this machine',
    (server) => {
      expect(proxyOf(server, { HTTPS_PROXY: proxy })).toBeUndefined();
    },
  );

  test('nothing that is no address, which is told', () => {
    expect(() => proxyOf(api, { HTTPS_PROXY: 'http://' })).toThrow('HTTPS_PROXY is no address of a proxy');
  });
});

describe('NO_PROXY', () => {
  test.each([
    ['*', api, true],
    ['example.org', api, true],
    ['EXAMPLE.org', api, true],
    ['.example.org', api, true],
    ['*.example.org', api, true],
    ['.api.example.org', api, false],
    ['*.api.example.org', api, false],
    ['ample.org', api, false],
    ['example.org:6443', api, true],
    ['example.org:443', api, false],
    ['example.org:443', 'https://example.org', true],
    ['10.1.2.3', 'https://10.1.2.3', true],
    ['10.1.2.3', 'https://10.1.2.30', false],
    ['10.1.2.3:6443', 'https://10.1.2.3:6443', true],
    ['10.1.2.3:443', 'https://10.1.2.3:6443', false],
    ['10.0.0.0/8', 'https://10.255.255.255', true],
    ['10.0.0.0/8', 'https://11.0.0.0', false],
    ['10.0.0.0/8', api, false],
    ['10.0.0.0/33', 'https://10.0.0.0', false],
    ['10.0.0.0/x', 'https://10.0.0.0', false],
    ['fd00::/8', 'https://[fd12::1]', true],
    ['fd00::/8', 'https://[fe80::1]', false],
    ['fd00::/8', 'https://10.0.0.1', false],
    ['fd00:0::1', 'https://[fd00::1]', true],
    ['[fd00::1]:6443', 'https://[fd00::1]:6443', true],
    ['[fd00::1]:443', 'https://[fd00::1]:6443', false],
    [' , :443', api, false],
  ])('%j, of %s: %s', (exception, server, isLeftOut) => {
    expect(proxyOf(server, { HTTPS_PROXY: proxy, NO_PROXY: exception })).toBe(isLeftOut ? undefined : proxy);
  });
});
