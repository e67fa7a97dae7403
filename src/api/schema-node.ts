/** A node of an openAPIV3Schema, as far as our CRDs use the format. */
export interface SchemaNode {
  /** Absent where a rule asks for an integer, see intOrTold(). */
  readonly type?: string;
  readonly description?: string;
  readonly format?: string;
  readonly default?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode;
  readonly items?: SchemaNode;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

export type Path = readonly (string | number)[];

/** One thing that the API server has against an object, in its words. */
export interface Problem {
  readonly path: Path;
  /** Where it stands, if that is further in than the API server says. */
  readonly at?: Path;
  /** `Invalid value: 1: spec.path[0].idleTimeoutSeconds in body should be greater than or equal to 2` */
  readonly body: string;
  /** Without a field, as the API server tells it: `<nil>`. */
  readonly nowhere?: true;
  /** What to do, where its words do not tell. */
  readonly advice?: string;
}

/** `spec.path[0].name`, as the API server writes it. */
export function fieldText(path: Path): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${step}`))
    .join('');
}

/** As kubectl prints it, with what to do where that does not tell. */
export function problemText({ path, body, nowhere, advice }: Problem): string {
  return `${nowhere ? '' : `${fieldText(path)}: `}${body}${advice === undefined ? '' : `: ${advice}`}`;
}

/** Of a list or an object, what the schema knows of: each with its schema. */
export function* membersOf(
  { properties, additionalProperties, items }: SchemaNode,
  value: unknown,
): Generator<[step: string | number, member: unknown, node: SchemaNode]> {
  if (Array.isArray(value)) {
    if (items !== undefined) for (const [at, member] of value.entries()) yield [at, member, items];
  } else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      const below =
        properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
      if (below !== undefined) yield [key, member, below];
    }
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Empty also for what is no text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
