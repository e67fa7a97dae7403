import { crdOf, policyKinds } from './crd.ts';
import type { PolicyKind } from './group.ts';
import { metadataProblems } from './object-meta.ts';
import { objectMetaSchema, undecodable } from './object-meta-schema.ts';
import { ruleOf } from './rule.ts';
import type { Path, Problem, SchemaNode } from './schema-node.ts';
import { isObject, membersOf } from './schema-node.ts';
import { shapeProblems } from './shape.ts';

/** Kinds of problems that keep the API server from asking any rule (apiextensions-apiserver, hasBlockingErr). */
const blocking =
  /^(Unsupported value|Required value|Too long|Too many|Invalid value: "[^"]*": \S+ in body must be of type)/;
const notAsked =
  'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

/**
 * What an API server that has our CRD answers to an object, as kubectl prints it line by line. Metadata, as of any kind, and
 * shape, as kube-openapi checks it, then our rules by the functions that stand beside their CEL. test/e2e/verdict.test.ts holds it against
 * an API server.
 */
export function verdictOn(kind: PolicyKind, object: unknown): Problem[] {
  const root = rootOf(kind);
  const unread = undecodable(isObject(object) ? object.metadata : undefined);
  if (unread !== undefined) return [unread];
  const pruned = withoutNulls(object);
  const shape = [...metadataProblems(kind, object), ...shapeProblems(root, pruned)];
  const isBlocked = shape.some(({ body }) => blocking.test(body));
  return isBlocked
    ? [...shape, { path: shape[0]?.path ?? [], body: notAsked, nowhere: true }]
    : [...shape, ...brokenRules(root, pruned, [])];
}

/** Fields that the API server drops, and kubectl refuses. */
export function unknownFields(kind: PolicyKind, object: unknown): Path[] {
  const root = rootOf(kind);
  const properties = { ...root.properties, metadata: objectMetaSchema };
  return [...strangers({ ...root, properties }, object, [])];
}

const roots = new Map<PolicyKind, SchemaNode>();

function rootOf(kind: PolicyKind): SchemaNode {
  const root = roots.get(kind) ?? schemaOf(kind);
  roots.set(kind, root);
  return root;
}

/** Of its CRD. */
export function schemaOf(kind: PolicyKind): SchemaNode {
  const { spec } = crdOf(policyKinds[kind]) as {
    spec: { versions: [{ schema: { openAPIV3Schema: SchemaNode } }] };
  };
  return spec.versions[0].schema.openAPIV3Schema;
}

/** A field that is null is as if it were not there; an item of a list that is null is not. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .map(([key, member]) => [key, withoutNulls(member)]),
  );
}

function* brokenRules(node: SchemaNode, value: unknown, path: Path): Generator<Problem> {
  for (const { rule: expression, message } of node['x-kubernetes-validations'] ?? []) {
    const rule = ruleOf(expression);
    if (rule.check(value)) continue;
    const words = rule.explain?.(value) ?? message;
    const shown = typeof value === 'object' ? '' : `: ${JSON.stringify(value)}`;
    yield { path, body: `Invalid value${shown}: ${words}`, ...(path.length === 0 ? { nowhere: true } : {}) };
  }
  for (const [step, member, below] of membersOf(node, value))
    yield* brokenRules(below, member, [...path, step]);
}

function* strangers(node: SchemaNode, value: unknown, path: Path): Generator<Path> {
  if (isObject(value) && node.properties !== undefined) {
    for (const key of Object.keys(value))
      if (!Object.hasOwn(node.properties, key) && node.additionalProperties === undefined)
        yield [...path, key];
  }
  for (const [step, member, below] of membersOf(node, value))
    yield* strangers(below, member, [...path, step]);
}
