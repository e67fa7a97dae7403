import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAllDocuments, stringify } from 'yaml';

import { keepalivePolicySpecSchema } from '../../../src/api/spec.ts';
import { admit } from '../../../src/policy/admit.ts';
import type { RawPod } from '../../../src/policy/pod.ts';
import { namespacedPolicy } from '../../../src/policy/policy.ts';
import { nat } from '../../support/builder.ts';
import { rendered } from './rendered.ts';

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
      const raw = JSON.parse(JSON.stringify(object)) as RawPod;
      const wanted = admit(
        {
          ...raw,
          spec: { ...raw.spec, securityContext: { sysctls: raw.spec?.securityContext?.sysctls ?? [] } },
        },
        { name: 'db', labels: {} },
        [namespacedPolicy('db', 'p', keepalivePolicySpecSchema.parse({ podSelector: {}, path: nat(90) }))],
      ).sysctls;
      expect(made?.toJS()).toEqual({
        ...object,
        spec: { ...spec, securityContext: { ...securityContext, sysctls: wanted } },
      });
      expect(await rendered(after)).toBe(after);
    }),
    { numRuns: 200 },
  );
});
