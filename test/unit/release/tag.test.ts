import { describe, expect, test } from '@jest/globals';

import { digestTold, holdTag } from '../../../scripts/release/tag.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const made = { repository: 'registry.example/keepalive-operator', tag: '0.2.0', digest: digest('a') };

describe('a version that was made is published', () => {
  test.each([
    ['where the registry has none of that number', undefined],
    ['where the registry has the same, as after a run that was cut short', digest('a')],
  ])('%s', (_where, there) => {
    expect(() => holdTag(made, there)).not.toThrow();
  });

  test('and not where the registry has another one of that number; it says what can be done', () => {
    const held = () => holdTag(made, digest('b'));
    expect(held).toThrow(`registry.example/keepalive-operator:0.2.0 is published already, as ${digest('b')}`);
    expect(held).toThrow('set the next version in package.json');
    expect(held).toThrow('--replace');
  });
});

describe('what crane says of a tag', () => {
  const asked = 'https://registry.example/v2/keepalive-operator/manifests/0.2.0';
  const head = `2026/11/29 21:16:31 HEAD request failed, falling back on GET: HEAD ${asked}: unexpected status code 404 Not Found (HEAD responses have no body, use GET for details)\n`;
  const failed = (told: string) => ({ stdout: '', stderr: `${head}Error: ${told}\n`, code: 1 });

  test('is its digest', () => {
    expect(digestTold({ stdout: `${digest('a')}\n`, stderr: '', code: 0 })).toBe(digest('a'));
  });

  test.each([
    `GET ${asked}: NAME_UNKNOWN: Unknown name`,
    `GET ${asked}: MANIFEST_UNKNOWN: Unknown manifest`,
    `GET ${asked}: NOT_FOUND: repository keepalive-operator not found`,
    `GET ${asked}: unexpected status code 404 Not Found`,
  ])('or that there is none: %s', (told) => {
    expect(digestTold(failed(told))).toBeUndefined();
  });

  test.each([
    `GET ${asked}: UNAUTHORIZED: authentication required`,
    `GET ${asked}: unexpected status code 502 Bad Gateway`,
    'Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host',
  ])('or neither, and then nothing is pushed: %s', (told) => {
    expect(() => digestTold(failed(told))).toThrow(told);
  });
});
