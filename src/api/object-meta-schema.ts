import type { Path, Problem, SchemaNode } from './schema-node.ts';
import { membersOf } from './schema-node.ts';

const text: SchemaNode = { type: 'string' };
const integer: SchemaNode = { type: 'integer' };
const flag: SchemaNode = { type: 'boolean' };
const texts: SchemaNode = { type: 'object', additionalProperties: text };
const uid: SchemaNode = { type: 'string' };
const owner: SchemaNode = {
  type: 'object',
  properties: { apiVersion: text, kind: text, name: text, uid, controller: flag, blockOwnerDeletion: flag },
};
const managed: SchemaNode = {
  type: 'object',
  properties: {
    ...{ manager: text, operation: text, apiVersion: text, time: text, fieldsType: text, fieldsV1: {} },
    subresource: text,
  },
};

/** metav1.ObjectMeta, which every object has and no CRD writes out (k8s.io/apimachinery, pkg/apis/meta/v1/types.go). */
export const objectMetaSchema: SchemaNode = {
  type: 'object',
  properties: {
    ...{ name: text, generateName: text, namespace: text, selfLink: text, uid, resourceVersion: text },
    ...{ generation: integer, creationTimestamp: text, deletionTimestamp: text },
    ...{ deletionGracePeriodSeconds: integer, labels: texts, annotations: texts },
    ownerReferences: { type: 'array', items: owner },
    finalizers: { type: 'array', items: text },
    managedFields: { type: 'array', items: managed },
  },
};

/** Types of Go that have names. */
const named = new Map([
  [objectMetaSchema, 'v1.ObjectMeta'],
  [owner, 'v1.OwnerReference'],
  [managed, 'v1.ManagedFieldsEntry'],
  [uid, 'types.UID'],
]);
const simple: Readonly<Record<string, string>> = { string: 'string', integer: 'int64', boolean: 'bool' };

function goType(node: SchemaNode): string {
  const { type = '', items, additionalProperties } = node;
  if (items !== undefined) return `[]${goType(items)}`;
  if (additionalProperties !== undefined) return `map[string]${goType(additionalProperties)}`;
  return named.get(node) ?? simple[type] ?? type;
}

/** What Go's JSON calls a value; of a number that is no whole one, the number too. */
function jsonType(value: unknown, node: SchemaNode): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  const isBroken = typeof value === 'number' && node.type === 'integer' && !Number.isInteger(value);
  return isBroken ? `number ${value}` : typeof value;
}

function isOfType({ type }: SchemaNode, value: unknown): boolean {
  if (type === undefined || value === null) return true;
  if (type === 'integer') return Number.isInteger(value);
  return type === (Array.isArray(value) ? 'array' : typeof value);
}

/**
 * Why metadata cannot be read, in the words of Go's JSON (sigs.k8s.io/json): the API server says this of the first
 * field, by the alphabet, and nothing else of the object. `undefined` where all of it can.
 */
export function undecodable(metadata: unknown): Problem | undefined {
  if (metadata === undefined) return undefined;
  const [first] = walk({
    node: objectMetaSchema,
    value: metadata,
    path: ['metadata'],
    struct: '',
    fields: [],
  });
  return first;
}

interface Step {
  readonly node: SchemaNode;
  readonly value: unknown;
  readonly path: Path;
  /** The struct whose field is read, and the fields that lead to it. */
  readonly struct: string;
  readonly fields: readonly (string | number)[];
}

function* walk({ node, value, path, struct, fields }: Step): Generator<Problem> {
  if (!isOfType(node, value)) {
    const where = struct === '' ? 'Go value' : `Go struct field ${struct}.${fields.join('.')}`;
    const body = `json: cannot unmarshal ${jsonType(value, node)} into ${where} of type ${goType(node)}`;
    yield { path, body, nowhere: true, ...adviceFor(node, value) };
    return;
  }
  const isStruct = node.properties !== undefined;
  const inside = isStruct ? goType(node).replace('v1.', '') : struct;
  const members = [...membersOf(node, value)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [step, member, below] of members) {
    const deeper = isStruct ? [...fields, step] : fields;
    yield* walk({ node: below, value: member, path: [...path, step], struct: inside, fields: deeper });
  }
}

/** YAML takes what has no quotes for a number or a truth. */
function adviceFor({ type }: SchemaNode, value: unknown): { advice?: string } {
  const isBare = typeof value === 'number' || typeof value === 'boolean';
  return type === 'string' && isBare ? { advice: 'write it in quotes' } : {};
}
