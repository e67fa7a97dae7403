import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly matchConstraints: { readonly resourceRules: readonly object[] } };
}

const policies = ['admission', 'limits', 'warnings', 'witness']
  .map((name) => readFileSync(join(import.meta.dirname, '../../../deploy', `${name}.yaml`), 'utf8'))
  .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Manifest))
  .filter(({ kind }) => kind.endsWith('AdmissionPolicy'));

test('there are policies of both kinds', () => {
  expect(new Set(policies.map(({ kind }) => kind))).toEqual(
    new Set(['MutatingAdmissionPolicy', 'ValidatingAdmissionPolicy']),
  );
});

test.each(policies.map((policy) => [`${policy.kind} ${policy.metadata.name}`, policy] as const))(
  '%s says what it matches as the API server stores it, so that Argo CD finds no difference',
  (_name, { spec: { matchConstraints } }) => {
    expect(matchConstraints).toEqual({
      matchPolicy: 'Equivalent',
      namespaceSelector: expect.any(Object),
      objectSelector: expect.any(Object),
      resourceRules: matchConstraints.resourceRules.map((rule) => ({ ...rule, scope: '*' })),
    });
  },
);
