import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import type { Bench } from './shared.ts';
import { ckap, kap } from './shared.ts';

const namespace = 'e2e-declared';

const nat = { name: 'office-nat', type: 'NAT', idleTimeoutSeconds: 90 };
const withPath = (...path: object[]) => kap(namespace, 'bad', 90, { path });
const withTimeout = (idleTimeoutSeconds: unknown) => withPath({ ...nat, idleTimeoutSeconds });
const wholeNumber = 'is a whole number of seconds without a unit: 350 for "350s"';
const withKeepalive = (keepalive: object) => kap(namespace, 'bad', 90, { path: [nat], keepalive });
const selecting = (podSelector: object) => kap(namespace, 'bad', 90, { podSelector });

/** What an API server says of a policy as it is declared: by the rules of the kinds, and by the policy that warns. */
export function declaredTests(benchOf: () => Bench): void {
  beforeAll(() => benchOf().namespace(namespace));
  afterAll(() => benchOf().cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

  describe('kubectl apply refuses', () => {
    test.each<[string, object, string]>([
      ['an empty path', withPath(), 'spec.path in body should have at least 1 items'],
      [
        'more than 16 hops',
        withPath(...Array.from({ length: 17 }, (_, index) => ({ ...nat, name: `n${index}` }))),
        'must have at most 16 items',
      ],
      [
        'a hop with neither preset nor number',
        withPath({ name: 'a', type: 'NAT' }),
        'a hop declares exactly one of preset and idleTimeoutSeconds',
      ],
      [
        'a hop with both',
        withPath({ preset: 'aws-nlb', idleTimeoutSeconds: 600 }),
        'declare name, type and idleTimeoutSeconds instead, such as {name: edge, type: LoadBalancer, idleTimeoutSeconds: 600}',
      ],
      [
        'a hop without a type',
        withPath({ name: 'a', idleTimeoutSeconds: 90 }),
        'a hop without preset needs a name and a type',
      ],
      [
        'a type beside a preset',
        withPath({ preset: 'aws-nlb', type: 'NAT' }),
        'a preset brings its own type',
      ],
      [
        'an unknown preset',
        withPath({ preset: 'aws-nbl' }),
        'Unsupported value: "aws-nbl": supported values: "aws-nat-gateway"',
      ],
      ['0 seconds', withTimeout(0), 'Where 0 or less stands for never, leave the hop out'],
      ['1 second', withTimeout(1), 'should be greater than or equal to 2'],
      ['-5 seconds', withTimeout(-5), 'Where 0 or less stands for never, leave the hop out'],
      ['432001 seconds', withTimeout(432_001), 'leave it out, or declare 432000'],
      ['weeks', withTimeout(604_800), 'asks for nothing: leave it out, or declare 432000'],
      ['10^10 seconds', withTimeout(1e10), 'If these are milliseconds, divide by 1000'],
      ['a number with a unit', withTimeout('350s'), wholeNumber],
      ['a number in quotes', withTimeout('350'), wholeNumber],
      ['never', withTimeout('never'), 'A hop that never forgets needs no mention: leave it out'],
      [
        'a text beside values of its own, in one sentence',
        kap(namespace, 'bad', 90, {
          path: [nat, { ...nat, name: 'b', idleTimeoutSeconds: '4m' }],
          keepalive: { timeSeconds: 20 },
        }),
        `is invalid: spec.path[1].idleTimeoutSeconds: Invalid value: `,
      ],
      ['half a second', withPath({ ...nat, idleTimeoutSeconds: 90.5 }), 'must be of type integer'],
      [
        'two hops of one name',
        withPath(nat, { ...nat, idleTimeoutSeconds: 100 }),
        'two hops of a path have the same name',
      ],
      [
        'a name that a preset has already',
        withPath({ preset: 'aws-nlb' }, { ...nat, name: 'aws-nlb' }),
        'two hops of a path have the same name',
      ],
      [
        'a path of proxies only',
        withPath({ preset: 'envoy-tcp' }, { ...nat, type: 'Proxy' }),
        'every hop of this path is a proxy',
      ],
      [
        'values that are not enough, with the hop and values that would be',
        withKeepalive({ timeSeconds: 60, intervalSeconds: 20, probes: 4 }),
        'no room for two probes before office-nat forgets at 90 s',
      ],
      [
        'a single probe',
        withKeepalive({ probes: 1 }),
        'timeSeconds 30, intervalSeconds 10 and probes 6 would do',
      ],
      [
        'a time above the kernel default',
        withKeepalive({ timeSeconds: 7201 }),
        "7200 is the kernel's own, and values are only ever made stricter",
      ],
      [
        'an interval above the kernel default',
        withKeepalive({ intervalSeconds: 76 }),
        "75 is the kernel's own, and values are only ever made stricter",
      ],
      ['ten probes', withKeepalive({ probes: 10 }), 'for more patience raise intervalSeconds, to 75 at most'],
      [
        'an invalid selector operator',
        selecting({ matchExpressions: [{ key: 'app', operator: 'Is' }] }),
        'the operator of a label selector is one of In, NotIn, Exists, DoesNotExist',
      ],
      [
        'a comparison of labels',
        selecting({ matchExpressions: [{ key: 'tier', operator: 'Gt', values: ['1'] }] }),
        'Gt and Lt are for the node affinity of pods',
      ],
      [
        'In without values',
        selecting({ matchExpressions: [{ key: 'app', operator: 'In' }] }),
        'In and NotIn need at least one value',
      ],
      [
        'Exists with values',
        selecting({ matchExpressions: [{ key: 'app', operator: 'Exists', values: ['x'] }] }),
        'Exists and DoesNotExist take none',
      ],
      [
        'a label key that is none',
        selecting({ matchLabels: { 'a b': 'c' } }),
        'matchLabels needs valid label keys and values',
      ],
      [
        'a label key whose prefix is too long',
        selecting({ matchExpressions: [{ key: `${'a'.repeat(254)}/b`, operator: 'Exists' }] }),
        'the prefix of a label key has at most 253 characters',
      ],
      [
        'a label value that is none',
        selecting({ matchLabels: { app: 'a/b' } }),
        'matchLabels needs valid label keys and values',
      ],
      ['an unknown mode', kap(namespace, 'bad', 90, { mode: 'Dry' }), 'supported values: "Enforce", "Audit"'],
      ['an unknown field', kap(namespace, 'bad', 90, { hops: [] }), 'unknown field "spec.hops"'],
      ['a name that is too long', kap(namespace, 'a'.repeat(64), 90), 'at most 63 characters'],
      [
        'a cluster policy that selects nothing',
        {
          apiVersion: 'keepalive.dev/v1alpha1',
          kind: 'ClusterKeepalivePolicy',
          metadata: { name: 'bad' },
          spec: { path: [nat] },
        },
        'nothing is selected: declare podSelector',
      ],
    ])('%s', async (_sentence, manifest, message) => {
      expect(await benchOf().refusal(manifest)).toContain(message);
    });
  });

  describe('selectors of other kinds, pasted in', () => {
    const cluster = (spec: object) => ({
      apiVersion: 'keepalive.dev/v1alpha1',
      kind: 'ClusterKeepalivePolicy',
      metadata: { name: 'bad' },
      spec: { path: [nat], ...spec },
    });

    test.each<[string, object]>([
      ['of a ServiceMonitor', { matchNames: ['default'] }],
      ['of a ServiceMonitor that wants any', { any: true }],
      ['that is empty', {}],
      ['that is empty in its parts', { matchLabels: {}, matchExpressions: [] }],
    ])(
      'a namespaceSelector %s is refused by a client without validation too',
      async (_sentence, selector) => {
        const manifest = cluster({ namespaceSelector: selector, podSelector: {} });
        expect(await benchOf().refusal(manifest, '--validate=false')).toContain(
          'an empty namespaceSelector is refused: leave it out to select every namespace',
        );
      },
    );

    test.each<[string, object]>([
      ['a podSelector of names', cluster({ podSelector: { matchNames: ['mongo-0'] } })],
      ['one of a Service', selecting({ app: 'mongo' })],
    ])('%s is refused by kubectl, whose validation knows the fields', async (_sentence, manifest) => {
      expect(await benchOf().refusal(manifest)).toContain('unknown field "spec.podSelector.');
    });
  });

  describe('kubectl apply warns of', () => {
    const lb = (idleTimeoutSeconds: number, name = 'edge') =>
      withPath({ name, type: 'LoadBalancer', idleTimeoutSeconds });

    test.each<[string, object, string]>([
      ['minutes', lb(4), 'edge forgets after 4 s: are these minutes? Then declare 240'],
      ['milliseconds', lb(350_000), 'edge forgets after 350000 s: are these milliseconds? Then declare 350'],
      ['an application load balancer', lb(60, 'public-alb'), 'If it does, its type is Proxy'],
      ['every pod of the cluster', ckap('all', 90), 'every pod of the cluster is selected'],
      [
        'every node',
        ckap('all', 90, { podSelector: undefined, nodes: { selector: {} } }),
        'the network of every node is selected',
      ],
    ])('%s', async (_sentence, manifest, message) => {
      const warned = await until('the API server warns', async () => {
        const warnings = await benchOf().warnings(manifest);
        return warnings === '' ? undefined : warnings;
      });
      expect(warned).toContain('Warning: ');
      expect(warned).toContain(message);
    });

    test.each<[string, object]>([
      ['nothing that is meant', lb(90)],
      ['nothing of a preset', withPath({ preset: 'linux-conntrack' })],
      ['nothing of all pods of one namespace', selecting({})],
    ])('%s', async (_sentence, manifest) => {
      expect(await benchOf().warnings(manifest)).toBe('');
    });

    test('nothing in words that it cannot check: its types fit both kinds', async () => {
      const { items } = await benchOf().json<{
        items: { metadata: { name: string }; status?: { typeChecking?: unknown } }[];
      }>('validatingadmissionpolicy');
      const ours = items.filter(({ metadata }) => metadata.name.startsWith('warnings.'));
      expect(ours.map(({ status }) => status?.typeChecking)).toEqual([{}, {}]);
    });
  });

  test('takes the values that just fit', async () => {
    await benchOf().apply(
      kap(namespace, 'fits', 90, { keepalive: { timeSeconds: 60, intervalSeconds: 19, probes: 3 } }),
      kap(namespace, 'shortest', 2),
      kap(namespace, 'longest', 432_000),
    );
  });
}
