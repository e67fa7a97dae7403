import { compile } from 'json-schema-to-typescript';

import { policyKinds } from '../src/api/crd.ts';
import type { PolicyKind } from '../src/api/group.ts';
import { API_VERSION } from '../src/api/group.ts';
import type { SchemaNode } from '../src/api/schema-node.ts';
import { schemaOf } from '../src/api/verdict.ts';

type Schema = Record<string, unknown>;

/** models.d.ts: types with the texts of the CRD beside each field, and none of zod's, which a reader would have to install. */
export async function modelTypes(): Promise<string> {
  const kinds = Object.keys(policyKinds) as PolicyKind[];
  const [first] = kinds;
  if (first === undefined) throw new Error('there are no kinds');
  const parts = [
    header,
    await interfaceOf('PolicyStatus', first, 'status'),
    ...(await Promise.all(kinds.map((kind) => interfaceOf(`${kind}Spec`, kind, 'spec')))),
    ...kinds.map(classOf),
  ];
  return parts.join('\n');
}

const header = `/** Types of the kinds of ${API_VERSION}; generated from their schemas. */

/** With a name, or with the start of one that the API server makes. */
export type Metadata = {
  namespace?: string;
  uid?: string;
  generation?: number;
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
} & ({ name: string; generateName?: string } | { name?: string; generateName: string });

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}
`;

function interfaceOf(name: string, kind: PolicyKind, part: 'spec' | 'status'): Promise<string> {
  const schema = closed(schemaOf(kind).properties?.[part] ?? {});
  return compile({ ...schema, title: name }, name, {
    bannerComment: '',
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    strictIndexSignatures: true,
    format: false,
  });
}

/** Only what a type can say: a number that the CRD lets be a text, to refuse it in words, is a number. */
function closed(node: SchemaNode): Schema {
  return JSON.parse(JSON.stringify(node), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('x-kubernetes-int-or-string' in value)) return value;
    return { ...value, type: 'integer' };
  }) as Schema;
}

function classOf(kind: PolicyKind): string {
  return `${policyKinds[kind].description.replace(/^/, '/** ')} */
export declare class ${kind} {
  apiVersion: '${API_VERSION}';
  kind: '${kind}';
  metadata: Metadata;
  spec: ${kind}Spec;
  status?: PolicyStatus;
  constructor(data?: { metadata: Metadata; spec: ${kind}Spec; status?: PolicyStatus });
  /** Whether a value says of itself that it is one; its fields are not looked at. */
  static is(value: unknown): value is Pick<${kind}, 'apiVersion' | 'kind' | 'metadata' | 'spec' | 'status'>;
  /** Throws an Error with one line for each field that the API server would refuse, or drop because no schema has it. */
  validate(): void;
  /** Plain JSON, without what is undefined. */
  toJSON(): object;
}
`;
}
