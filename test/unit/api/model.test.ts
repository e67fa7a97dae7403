import { describe, expect, test } from '@jest/globals';

import { ClusterKeepalivePolicy, KeepalivePolicy } from '../../../src/api/model.ts';
import { problemText } from '../../../src/api/schema-node.ts';
import { verdictOn } from '../../../src/api/verdict.ts';
import { metadataSpecimens, unsentSpecimens } from './metadata-specimens.ts';
import { namespaced } from './specimen.ts';
import { specimens } from './specimens.ts';

const metadata = { name: 'behind-the-nat', namespace: 'db' };
/** Empty where it is valid. */
function refusal(model: { validate(): void }): string {
  try {
    model.validate();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
const path = [{ name: 'office-nat', type: 'NAT' as const, idleTimeoutSeconds: 90 }];

describe('a KeepalivePolicy', () => {
  test('knows its kind and leaves out what is undefined', () => {
    const policy = new KeepalivePolicy({ metadata, spec: { podSelector: {}, path, keepalive: undefined } });
    expect(JSON.parse(JSON.stringify(policy))).toEqual(policy.toJSON());
    const json = policy.toJSON() as { spec: object };
    expect(json).toStrictEqual({
      apiVersion: 'keepalive.dev/v1alpha1',
      kind: 'KeepalivePolicy',
      metadata,
      spec: { podSelector: {}, path },
    });
    expect(Object.keys(json.spec)).not.toContain('keepalive');
    expect(() => {
      policy.validate();
    }).not.toThrow();
  });

  test('says every problem on a line of its own, each with its place', () => {
    const policy = new KeepalivePolicy({
      metadata: { ...metadata, name: 'a'.repeat(64) },
      spec: {
        podSelector: { matchLabels: { app: 'mongo!' } },
        path: [{ name: 'office-nat', type: 'NAT' }],
        keepalive: { probes: 10 },
      },
    });
    expect(refusal(policy).split('\n')).toEqual([
      'spec.keepalive.probes: Invalid value: 10: spec.keepalive.probes in body should be less than or equal to 9',
      'Invalid value: the name of a policy may have at most 63 characters',
      'spec.podSelector.matchLabels: Invalid value: matchLabels needs valid label keys and values, such as app: mongo',
      'spec.path[0]: Invalid value: a hop declares exactly one of preset and idleTimeoutSeconds. Where yours differs from a preset, declare name, type and idleTimeoutSeconds instead, such as {name: edge, type: LoadBalancer, idleTimeoutSeconds: 600}',
      "spec.keepalive.probes: Invalid value: 10: 9 is the kernel's own, and values are only ever made stricter: for more patience raise intervalSeconds, to 75 at most",
    ]);
  });

  test('says a field that no schema has, which the API server drops in silence', () => {
    const spec = { podSelector: {}, path, hops: [] };
    expect(refusal(new KeepalivePolicy({ metadata, spec }))).toBe('unknown field "spec.hops"');
  });

  test('takes what the API server takes: a generated name, an owner, a finalizer, and null for what is not there', () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'b' };
    const generated = { generateName: 'nat-', finalizers: ['example.com/keep'], ownerReferences: [owner] };
    expect(refusal(new KeepalivePolicy({ metadata: generated, spec: { podSelector: {}, path } }))).toBe('');
    const nulls = { labels: { app: null }, annotations: null };
    const written = { metadata: { ...metadata, ...nulls }, spec: { podSelector: {}, path, keepalive: null } };
    expect(refusal(new KeepalivePolicy(written as never))).toBe('');
  });
});

describe('validate() throws what the API server says, and only then', () => {
  const kinds = { KeepalivePolicy, ClusterKeepalivePolicy };
  const { spec: fine } = namespaced({});

  test.each([
    ...specimens.map(([sentence, { kind, spec, name = 'specimen' }]) => ({
      sentence,
      kind,
      spec,
      metadata: { name },
    })),
    ...[...metadataSpecimens, ...unsentSpecimens].map(
      ([sentence, { kind = 'KeepalivePolicy' as const, metadata: given }]) => ({
        sentence,
        kind,
        spec: fine,
        metadata: given,
      }),
    ),
  ])('$sentence', ({ kind, spec, metadata: given }) => {
    const model = new kinds[kind]({ metadata: given, spec } as never);
    const said = refusal(model)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('unknown field'));
    expect(said).toEqual(
      verdictOn(kind, { apiVersion: 'keepalive.dev/v1alpha1', kind, metadata: given, spec }).map(problemText),
    );
  });
});

describe('a ClusterKeepalivePolicy', () => {
  test('needs something to select', () => {
    const policy = new ClusterKeepalivePolicy({ metadata: { name: 'platform' }, spec: { path } });
    expect(() => {
      policy.validate();
    }).toThrow('spec: Invalid value: nothing is selected');
    policy.spec = { ...policy.spec, nodes: { selector: {} } };
    expect(() => {
      policy.validate();
    }).not.toThrow();
  });
});

describe('the guards', () => {
  const team = new KeepalivePolicy({ metadata, spec: { podSelector: {}, path } });
  const platform = new ClusterKeepalivePolicy({ metadata, spec: { podSelector: {}, path } });

  const plain = JSON.parse(JSON.stringify(team)) as object;

  test.each<[string, unknown, boolean, boolean]>([
    ['an object of the namespaced kind', team, true, false],
    ['one of the cluster kind', platform, false, true],
    ['plain JSON', plain, true, false],
    ['another version', { ...plain, apiVersion: 'keepalive.dev/v1' }, false, false],
    ['another group', { ...plain, apiVersion: 'example.com/v1alpha1' }, false, false],
    ['nothing', undefined, false, false],
  ])('%s', (_sentence, value, namespaced, cluster) => {
    expect(KeepalivePolicy.is(value)).toBe(namespaced);
    expect(ClusterKeepalivePolicy.is(value)).toBe(cluster);
  });
});
