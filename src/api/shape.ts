import type { Path, Problem, SchemaNode } from './schema-node.ts';
import { fieldText, membersOf } from './schema-node.ts';

/**
 * What an API server says of types, ranges, lengths, patterns, words and required fields, in its words: those of
 * k8s.io/kube-openapi, validation/errors, folded into fields by apiextensions-apiserver,
 * kubeOpenAPIResultToFieldErrors. Only what our CRDs use.
 */
export function shapeProblems(root: SchemaNode, object: unknown): Problem[] {
  return [...walk(root, object, [])];
}

type Body = string | undefined;
type Check = (node: SchemaNode, value: unknown, field: string) => Body;

/** Of a value that has the right type. */
const checks: readonly Check[] = [minimum, maximum, text, fewItems, manyItems, manyProperties];

function* walk(node: SchemaNode, value: unknown, path: Path): Generator<Problem> {
  const field = fieldText(path);
  const wrongType = typeProblem(node, value, field);
  const said = wrongType === undefined ? checks.map((check) => check(node, value, field)) : [wrongType];
  for (const body of [...said, word(node, value)]) if (body !== undefined) yield { path, body };
  if (wrongType !== undefined) return;
  if (isTooLarge(node, value)) {
    const words = `Checked value must be of type integer with format int32 in ${field}`;
    yield { path, body: `Invalid value: "": ${words}`, nowhere: true };
  }
  for (const [step, member, below] of membersOf(node, value)) yield* walk(below, member, [...path, step]);
  for (const name of missing(node, value)) yield { path: [...path, name], body: 'Required value' };
}

function typesOf(node: SchemaNode): string[] {
  if (node['x-kubernetes-int-or-string']) return ['integer', 'string'];
  return node.type === undefined ? [] : [node.type];
}

/** As Go has it: a whole number is an integer, whichever way it is written. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** Formats that kube-openapi names in place of types, for values that are neither text nor list. */
const formats: Readonly<Record<string, string>> = { number: 'double', boolean: '', object: '' };

function typeProblem(node: SchemaNode, value: unknown, field: string): Body {
  const types = typesOf(node);
  const type = typeOf(value);
  if (types.length === 0 || types.includes(type)) return undefined;
  const format = node.format === undefined ? undefined : formats[type];
  const [wanted, got] = format === undefined ? [types.join(','), type] : [node.format, format];
  return `Invalid value: "${got}": ${field} in body must be of type ${wanted}: "${got}"`;
}

function word({ enum: words }: SchemaNode, value: unknown): Body {
  if (words === undefined || words.some((one) => one === value)) return undefined;
  return `Unsupported value: ${JSON.stringify(value)}: supported values: ${words.map((one) => JSON.stringify(one)).join(', ')}`;
}

function minimum({ minimum: least }: SchemaNode, value: unknown, field: string): Body {
  if (least === undefined || typeof value !== 'number' || value >= least) return undefined;
  return `Invalid value: ${value}: ${field} in body should be greater than or equal to ${least}`;
}

function maximum({ maximum: most }: SchemaNode, value: unknown, field: string): Body {
  if (most === undefined || typeof value !== 'number' || value <= most) return undefined;
  return `Invalid value: ${value}: ${field} in body should be less than or equal to ${most}`;
}

function isTooLarge({ format }: SchemaNode, value: unknown): boolean {
  return format === 'int32' && typeof value === 'number' && (value > 2 ** 31 - 1 || value < -(2 ** 31));
}

/** The first of length and pattern that does not hold. */
function text(node: SchemaNode, value: unknown, field: string): Body {
  if (typeof value !== 'string') return undefined;
  const { minLength = 0, maxLength = Infinity, pattern } = node;
  const { length } = [...value];
  if (length > maxLength) return `Too long: may not be more than ${maxLength} bytes`;
  const said = `Invalid value: ${JSON.stringify(value)}: ${field} in body should`;
  if (length < minLength) return `${said} be at least ${minLength} chars long`;
  if (pattern !== undefined && !new RegExp(pattern).test(value)) return `${said} match '${pattern}'`;
  return undefined;
}

function fewItems({ minItems }: SchemaNode, value: unknown, field: string): Body {
  if (minItems === undefined || !Array.isArray(value) || value.length >= minItems) return undefined;
  return `Invalid value: ${value.length}: ${field} in body should have at least ${minItems} items`;
}

function manyItems({ maxItems }: SchemaNode, value: unknown): Body {
  if (maxItems === undefined || !Array.isArray(value) || value.length <= maxItems) return undefined;
  return `Too many: ${value.length}: must have at most ${maxItems} items`;
}

function manyProperties({ maxProperties }: SchemaNode, value: unknown): Body {
  if (maxProperties === undefined || typeOf(value) !== 'object') return undefined;
  const { length } = Object.keys(value as object);
  return length <= maxProperties
    ? undefined
    : `Too many: ${length}: must have at most ${maxProperties} items`;
}

function missing({ required = [] }: SchemaNode, value: unknown): string[] {
  if (typeOf(value) !== 'object') return [];
  return required.filter((name) => !Object.hasOwn(value as object, name));
}
