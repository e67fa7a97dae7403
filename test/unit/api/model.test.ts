import { describe, expect, test } from '@jest/globals';

import { ClusterKeepalivePolicy, KeepalivePolicy } from '../../../src/api/model.ts';

const metadata = { name: 'behind-the-nat', namespace: 'db' };
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
    let message = '';
    try {
      policy.validate();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.split('\n').sort()).toEqual([
      'metadata.name: the name of a policy may have at most 63 characters',
      "spec.keepalive.probes: 9 is the kernel's own, and values are only ever made stricter: for more patience raise intervalSeconds, to 75 at most",
      'spec.keepalive.probes: Too big: expected number to be <=9',
      'spec.path[0]: a hop declares exactly one of preset and idleTimeoutSeconds. Where yours differs from a preset, declare name, type and idleTimeoutSeconds instead, such as {name: edge, type: LoadBalancer, idleTimeoutSeconds: 600}',
      'spec.podSelector.matchLabels: matchLabels needs valid label keys and values, such as app: mongo',
    ]);
  });
});

describe('a ClusterKeepalivePolicy', () => {
  test('needs something to select', () => {
    const policy = new ClusterKeepalivePolicy({ metadata: { name: 'platform' }, spec: { path } });
    expect(() => {
      policy.validate();
    }).toThrow('spec: nothing is selected');
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
