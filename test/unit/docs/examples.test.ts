import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import { API_VERSION } from '../../../src/api/group.ts';
import { clusterKeepalivePolicySchema, keepalivePolicySchema } from '../../../src/api/object.ts';
import { pages } from './page.ts';

interface Example {
  readonly apiVersion?: string;
  readonly kind?: string;
}

/** Fenced manifests, and those that a shell example hands to kubectl. */
const examples = pages().flatMap((page) => {
  const handed = page
    .blocks('sh')
    .flatMap((block) => [...block.matchAll(/<<EOF\n(.*?)^EOF$/gms)].map(([, text = '']) => text));
  return [...page.blocks('yaml'), ...handed].flatMap((block) => {
    const documents = parseAllDocuments(block);
    return [...documents].map((document) => [page.path, document.toJS() as Example] as const);
  });
});
const policies = examples.filter(([, { apiVersion }]) => apiVersion === API_VERSION);

test('there are examples of both kinds', () => {
  const kinds = new Set(policies.map(([, { kind }]) => kind));
  expect(kinds).toEqual(new Set(['KeepalivePolicy', 'ClusterKeepalivePolicy']));
});

test.each(policies)(
  '%s: an example is a policy that the API server takes, no field of it unknown',
  (_, example) => {
    const schema = example.kind === 'KeepalivePolicy' ? keepalivePolicySchema : clusterKeepalivePolicySchema;
    expect(schema.parse(example)).toMatchObject({ ...example });
  },
);
