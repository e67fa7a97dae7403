import { Environment } from '@marcbachmann/cel-js';
import * as z from 'zod';

import { crdOf, kinds } from '../../../src/api/crd.ts';
import type { KindName } from '../../../src/api/group.ts';

/** A node of an openAPIV3Schema, as far as we use the format. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly maxProperties?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode;
  readonly items?: SchemaNode;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

interface CelRule {
  readonly rule: string;
  readonly message: string;
  readonly messageExpression?: string;
}

/** Where in the object, as `spec.path[0].name`, and what a person reads. */
export interface Problem {
  readonly at: string;
  readonly text: string;
}

interface PrinterColumn {
  readonly name: string;
  readonly jsonPath: string;
}

export interface ServedVersion {
  readonly schema: { readonly openAPIV3Schema: SchemaNode };
  readonly additionalPrinterColumns: readonly PrinterColumn[];
}

export function servedVersion(kind: KindName): ServedVersion {
  const { spec } = crdOf(kinds[kind]) as { spec: { versions: ServedVersion[] } };
  const [version] = spec.versions;
  if (version === undefined) throw new Error(`${kind} has no version`);
  return version;
}

/** The language of the API server as far as our rules need it; cel-js has no `format`. */
const cel = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
cel.registerFunction('string.format(list): string', (text: string, values: unknown[]) => {
  const rest = [...values];
  return text.replace(/%[ds]/g, () => String(rest.shift()));
});
cel.registerFunction('list.min(): int', (list: bigint[]) =>
  list.reduce((one, other) => (one < other ? one : other)),
);
const compiled = new Map<string, ReturnType<Environment['parse']>>();

/** Throws where the expression does: no rule of ours may fail to give an answer. */
export function evaluate(expression: string, value: unknown, name = 'self'): unknown {
  const run = compiled.get(expression) ?? cel.parse(expression);
  compiled.set(expression, run);
  return run({ [name]: celValue(value) });
}

/** CEL's int for every whole number of JSON. */
function celValue(value: unknown): unknown {
  if (Number.isInteger(value)) return BigInt(value as number);
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, celValue(member)]));
}

/** What the API server says of an object of a kind, from nothing but the CRD. */
export class ServedSchema {
  readonly #root: SchemaNode;
  readonly #shape: z.ZodType;
  readonly #messages: ReadonlySet<string>;

  constructor(kind: KindName) {
    this.#root = servedVersion(kind).schema.openAPIV3Schema;
    this.#shape = z.fromJSONSchema(plainSchema(this.#root), { defaultTarget: 'openapi-3.0' });
    this.#messages = new Set(messagesIn(this.#root));
  }

  /** Whether some rule says this: such a rule takes the place of a type or a list of words. */
  isOfRule(text: string): boolean {
    return this.#messages.has(text);
  }

  /** Everything that a schema says of one value: type, range, length, pattern, enum, required. */
  shapeProblems(object: unknown): Problem[] {
    return (this.#shape.safeParse(object).error?.issues ?? []).map(problemOf);
  }

  /**
   * Rules that do not hold. `undefined` where the API server asks none, since a value has another type or is
   * larger than what the cost of the rules was reckoned with (apiextensions-apiserver, blocking errors).
   */
  ruleProblems(object: unknown): Problem[] | undefined {
    const blocking = (this.#shape.safeParse(object).error?.issues ?? []).some(isBlocking);
    return blocking ? undefined : [...brokenRules(this.#root, object, [])];
  }
}

/** Both forms of an integer that may be a text, as JSON Schema has it; limits are of the number alone. */
function plainSchema(root: SchemaNode): Parameters<typeof z.fromJSONSchema>[0] {
  return JSON.parse(JSON.stringify(root), (_key, node: unknown) => {
    if (typeof node !== 'object' || node === null || !('x-kubernetes-int-or-string' in node)) return node;
    return { anyOf: [{ ...node, type: 'integer' }, { type: 'string' }] };
  }) as Parameters<typeof z.fromJSONSchema>[0];
}

function messagesIn(node: SchemaNode): string[] {
  const below = [...Object.values(node.properties ?? {}), node.items, node.additionalProperties];
  return [
    ...(node['x-kubernetes-validations'] ?? []).map(({ message }) => message),
    ...below.flatMap((member) => (member === undefined ? [] : messagesIn(member))),
  ];
}

function isBlocking(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' || (issue.code === 'too_big' && issue.origin !== 'number');
}

function* brokenRules(node: SchemaNode, value: unknown, path: readonly PropertyKey[]): Generator<Problem> {
  if (value === undefined) return;
  for (const rule of node['x-kubernetes-validations'] ?? []) {
    if (evaluate(rule.rule, value) !== true)
      yield problemOf({ path: [...path], message: messageOf(rule, value) });
  }
  for (const [key, member] of Object.entries(value as object)) {
    const below = memberOf(node, key);
    const step = Array.isArray(value) ? Number(key) : key;
    if (below !== undefined) yield* brokenRules(below, member, [...path, step]);
  }
}

function memberOf(
  { properties, additionalProperties, items }: SchemaNode,
  key: string,
): SchemaNode | undefined {
  return properties?.[key] ?? additionalProperties ?? items;
}

function messageOf({ message, messageExpression }: CelRule, self: unknown): string {
  return messageExpression === undefined ? message : String(evaluate(messageExpression, self));
}

export function problemOf({ path, message }: { path: PropertyKey[]; message: string }): Problem {
  return { at: z.core.toDotPath(path), text: message };
}
