/** A schema as JSON, of a kind that Kubernetes or a CustomResourceDefinition describes. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

/**
 * The same schema, as whoever judges files should have it: what the API server would drop without a word is refused, and what it reads
 * as either of two types may be either.
 */
export function strict(schema: Schema): Schema {
  const inner = Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [keyword, strictBelow(keyword, value)]),
  );
  if (isEither(schema)) return { anyOf: [{ type: 'string' }, { type: 'integer' }] };
  const isOpen =
    schema.properties === undefined ||
    schema.additionalProperties !== undefined ||
    schema['x-kubernetes-preserve-unknown-fields'] === true;
  return isOpen ? inner : { ...inner, additionalProperties: false };
}

function isEither(schema: Schema): boolean {
  return schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true;
}

/** Only what Kubernetes writes into schemas that holds schemas in turn. */
function strictBelow(keyword: string, value: unknown): unknown {
  if (keyword === 'properties') return strictOfEach(value as Readonly<Record<string, Schema>>);
  const holdsOne = keyword === 'items' || keyword === 'additionalProperties';
  return holdsOne && typeof value === 'object' ? strict(value as Schema) : value;
}

export function strictOfEach(schemas: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, strict(one)]));
}
