import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { PolicyKind } from '../../../src/api/group.ts';
import { presetNames } from '../../../src/api/presets.ts';
import type { PolicySpec } from '../../../src/api/spec.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from '../../../src/api/spec.ts';
import { warnings } from '../../../src/api/warning.ts';
import { evaluate } from './served-schema.ts';

const schemas = {
  KeepalivePolicy: keepalivePolicySpecSchema,
  ClusterKeepalivePolicy: clusterKeepalivePolicySpecSchema,
};

/** What `kubectl apply` would say, and what the functions say: the same, or the test fails. */
function said(kind: PolicyKind, given: object): string[] {
  const spec: PolicySpec = schemas[kind].parse({ path: [{ preset: 'aws-nlb' }], ...given });
  return warnings[kind].flatMap(({ cel, messageCel, told }) => {
    const message =
      evaluate(cel, { spec }, 'object') === true
        ? undefined
        : String(evaluate(messageCel, { spec }, 'object'));
    expect(told(spec)).toBe(message);
    return message === undefined ? [] : [message];
  });
}

const hop = (idleTimeoutSeconds: number, name = 'edge', type = 'LoadBalancer') => ({
  podSelector: {},
  path: [{ preset: 'aws-nlb' }, { name, type, idleTimeoutSeconds }],
});

describe('kubectl apply asks', () => {
  test.each([
    ['whether 4 s are minutes', 4, 'edge forgets after 4 s: are these minutes? Then declare 240'],
    ['the same of 29 s', 29, 'edge forgets after 29 s: are these minutes? Then declare 1740'],
    ['nothing of 30 s', 30, undefined],
    [
      'whether 50000 s are milliseconds',
      50_000,
      'edge forgets after 50000 s: are these milliseconds? Then declare 50',
    ],
    [
      'the same of 350000 s',
      350_000,
      'edge forgets after 350000 s: are these milliseconds? Then declare 350',
    ],
    [
      'the same of three minutes',
      180_000,
      'edge forgets after 180000 s: are these milliseconds? Then declare 180',
    ],
    ['the same of 10000 s', 10_000, 'edge forgets after 10000 s: are these milliseconds? Then declare 10'],
    ['nothing of 9000 s', 9000, undefined],
    ['nothing of ten hours', 36_000, undefined],
    ['nothing of a day', 86_400, undefined],
    ['nothing of two days', 172_800, undefined],
    ['nothing of the five days of Linux', 432_000, undefined],
    ['nothing of what is no thousands', 50_001, undefined],
  ])('%s', (_sentence, seconds, message) => {
    expect(said('KeepalivePolicy', hop(seconds))).toEqual(message === undefined ? [] : [message]);
    expect(
      said('ClusterKeepalivePolicy', { ...hop(seconds), podSelector: { matchLabels: { a: 'b' } } }),
    ).toEqual(message === undefined ? [] : [message]);
  });

  test.each([
    ['public-alb', 'LoadBalancer', true],
    ['alb', 'LoadBalancer', true],
    ['nginx-edge', 'LoadBalancer', true],
    ['nlb-before-nginx', 'LoadBalancer', false],
    ['public-alb', 'Proxy', false],
    ['albatross', 'LoadBalancer', false],
    ['edge', 'LoadBalancer', false],
  ])('whether %s of type %s is a proxy: %s', (name, type, asked) => {
    expect(said('KeepalivePolicy', hop(60, name, type))).toEqual(
      asked ? [expect.stringContaining(`${name} is declared as LoadBalancer`)] : [],
    );
  });

  test.each<[string, object, string[]]>([
    ['every pod', { podSelector: {} }, ['every pod of the cluster']],
    [
      'every pod, in as many words',
      { podSelector: { matchLabels: {}, matchExpressions: [] } },
      ['every pod'],
    ],
    ['some pods', { podSelector: { matchLabels: { app: 'mongo' } } }, []],
    [
      'every pod of some namespaces',
      { podSelector: {}, namespaceSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] } },
      [],
    ],
    ['every node', { nodes: { selector: {} } }, ['every node']],
    ['some nodes', { nodes: { selector: { matchLabels: { pool: 'db' } } } }, []],
    ['everything', { podSelector: {}, nodes: { selector: {} } }, ['every pod', 'every node']],
  ])('whether %s are meant', (_sentence, given, words) => {
    expect(said('ClusterKeepalivePolicy', given)).toEqual(words.map((one) => expect.stringContaining(one)));
  });
});

test('no preset is asked about, nor every pod of one namespace', () => {
  for (const preset of presetNames) {
    expect(
      said('KeepalivePolicy', { podSelector: {}, path: [{ preset }, { preset: 'aws-nlb', name: 'b' }] }),
    ).toEqual([]);
  }
});

test('whatever the timeout, CEL and function say the same', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.integer({ min: 2, max: 432_000 }),
        fc.integer({ min: 1, max: 432 }).map((n) => n * 1000),
      ),
      (seconds) => {
        said('KeepalivePolicy', hop(seconds));
      },
    ),
  );
});
