import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAllDocuments, stringify } from 'yaml';

import { keepalivePolicySpecSchema } from '../../../src/api/spec.ts';
import { admit } from '../../../src/policy/admit.ts';
import type { RawPod } from '../../../src/policy/pod.ts';
import { namespacedPolicy } from '../../../src/policy/policy.ts';
import { nat } from '../../support/builder.ts';
import { handwritten } from './handwriting.ts';
import { rendered } from './rendered.ts';

const policies = [
  namespacedPolicy('db', 'p', keepalivePolicySpecSchema.parse({ podSelector: {}, path: nat(90) })),
];

/** The sysctls that admission would give this pod. */
function wantedOf(object: object): unknown {
  const raw = JSON.parse(JSON.stringify(object)) as RawPod;
  const { sysctls } = raw.spec?.securityContext ?? {};
  const pod = { ...raw, spec: { ...raw.spec, securityContext: { sysctls: sysctls ?? [] } } };
  return admit(pod, { name: 'db', labels: {} }, policies).sysctls;
}

test('whatever the style that a manifest is written in: the same is put in, nothing else is touched, and twice is once', async () => {
  const styles = fc.record({
    indent: fc.constantFrom(1, 2, 4),
    indentSeq: fc.boolean(),
    collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
    defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const, 'QUOTE_SINGLE' as const),
    flowCollectionPadding: fc.boolean(),
  });
  const contexts = fc.constantFrom<object | undefined | null>(
    undefined,
    null,
    {},
    { runAsUser: 1 },
    { sysctls: [] },
    { sysctls: null },
    { sysctls: [{ name: 'net.ipv4.tcp_keepalive_probes', value: '9' }], fsGroup: 1 },
    {
      fsGroup: 1,
      sysctls: [
        { value: '600', name: 'net/ipv4/tcp_keepalive_time' },
        { name: 'kernel.x', value: '1' },
      ],
    },
  );
  await fc.assert(
    fc.asyncProperty(styles, contexts, async (style, securityContext) => {
      const spec = {
        ...(securityContext === undefined ? {} : { securityContext }),
        containers: [{ name: 'a' }],
      };
      const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'db' }, spec };
      const before = stringify(object, style);
      const after = await rendered(before);
      const [made] = parseAllDocuments(after);
      expect(made?.toJS()).toEqual({
        ...object,
        spec: { ...spec, securityContext: { ...securityContext, sysctls: wantedOf(object) } },
      });
      expect(await rendered(after)).toBe(after);
    }),
    { numRuns: 200 },
  );
});

/** Each with what it says: every comment of a text can be told from the others. */
function commentsIn(text: string): string[] {
  return [...text.matchAll(/# c\d+\. .*/g)].map(([comment]) => comment.trimEnd());
}

test('however it is written by hand: the same is put in, comments and line ends stay, and twice is once', async () => {
  await fc.assert(
    fc.asyncProperty(handwritten, async (before) => {
      const [document] = parseAllDocuments(before);
      const object = document?.toJS() as { spec: { securityContext?: object | null } };
      expect(document?.errors).toEqual([]);
      const after = await rendered(before);
      const [made] = parseAllDocuments(after);
      expect(made?.errors).toEqual([]);
      expect(made?.toJS()).toEqual({
        ...object,
        spec: {
          ...object.spec,
          securityContext: { ...object.spec.securityContext, sysctls: wantedOf(object) },
        },
      });
      expect(commentsIn(after)).toEqual(commentsIn(before));
      expect(after.replaceAll('\r\n', '').includes('\n')).toBe(
        !before.includes('\r\n') && before.includes('\n'),
      );
      expect(await rendered(after)).toBe(after);
    }),
    // Made smaller by hand: it takes minutes for a text that each choice makes anew.
    { numRuns: 100, endOnFailure: true },
  );
});
