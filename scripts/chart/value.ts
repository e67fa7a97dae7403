import type { Node } from 'yaml';
import { Document, isNode } from 'yaml';
import * as z from 'zod';

/** One value that users may set. */
export interface Value {
  readonly schema: z.ZodType;
  /** What holds where nobody sets it; a node of the manifests is taken with its comments. */
  readonly byDefault: unknown;
  readonly about: string;
}

/** Values by name, nested as in values.yaml. */
export interface Values {
  readonly [name: string]: Value | Values;
}

export function value(schema: z.ZodType, byDefault: unknown, about: string): Value {
  return { schema, byDefault, about };
}

function isValue(one: Value | Values): one is Value {
  return 'about' in one && typeof one.about === 'string';
}

/** Refuses names that the chart does not know: a typo would otherwise be a setting that nobody heeds. */
export function schemaOf(values: Values): z.ZodType {
  const fields = Object.entries(values).map(([name, one]) => [
    name,
    isValue(one) ? ownSchemaOf(one) : schemaOf(one),
  ]);
  return z.strictObject(Object.fromEntries(fields) as Record<string, z.ZodType>);
}

/** Helm takes away what users set to null: a list or map that may be empty, or a text that is so by default, may go; without any other, templates say nothing that makes sense. */
function ownSchemaOf(one: Value): z.ZodType {
  const schema = one.schema.describe(one.about);
  const plain = plainDefault(one);
  const mayBeEmpty = plain === '' || (typeof plain === 'object' && takesNothing(one.schema));
  return mayBeEmpty ? schema.optional() : schema;
}

const takesNothing = (schema: z.ZodType) => [[], {}].some((empty) => schema.safeParse(empty).success);

function plainDefault({ byDefault }: Value): unknown {
  return isNode(byDefault) ? (byDefault.toJSON() as unknown) : byDefault;
}

/** As in values.yaml, each value below what is said about it. */
export function commented(values: Values): Document {
  const document = new Document({});
  document.contents = mapOf(document, values);
  return document;
}

function mapOf(document: Document, values: Values) {
  const map = document.createNode({});
  for (const [name, one] of Object.entries(values)) {
    const key = document.createNode(name);
    if (isValue(one)) key.commentBefore = ` ${one.about}`;
    map.items.push(
      document.createPair(key, isValue(one) ? defaultNode(document, one) : mapOf(document, one)),
    );
  }
  return map;
}

function defaultNode(document: Document, { byDefault }: Value): Node {
  if (!isNode(byDefault)) return document.createNode(byDefault);
  return byDefault.clone() as Node;
}

/** A row of the table: where the value stands, what it is by default, what it is for. */
export interface Row {
  readonly path: string;
  readonly byDefault: string;
  readonly about: string;
}

/** What takes more room than this is looked up in values.yaml. */
const widestDefault = 60;

export function rowsOf(values: Values, prefix = ''): Row[] {
  return Object.entries(values).flatMap(([name, one]) => {
    const path = prefix + name;
    if (!isValue(one)) return rowsOf(one, `${path}.`);
    const text = JSON.stringify(plainDefault(one));
    return [{ path, byDefault: text.length > widestDefault ? '' : `\`${text}\``, about: one.about }];
  });
}
