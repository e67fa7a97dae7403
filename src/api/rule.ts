import type * as z from 'zod';

/**
 * A rule that crosses fields, once as CEL for the API server and once as a function for everybody else.
 * A test evaluates both on the same objects, so that they cannot part.
 */
export interface Rule<T> {
  /** CEL, with the object as `self`. */
  readonly rule: string;
  /** What a person reads when it does not hold: says what to do. */
  readonly message: string;
  /** CEL that gives a message with the numbers of this object in it; `message` stands in where it fails. */
  readonly messageExpression?: string;
  readonly check: (value: T) => boolean;
  /** The same message as `messageExpression`, for zod. */
  readonly explain?: (value: T) => string;
}

const rules = new Map<string, Rule<unknown>>();

/** So that whoever reads a CRD can ask its rules without CEL: each by its expression. */
export function known<T>(rule: Rule<T>): Rule<T> {
  rules.set(rule.rule, rule as Rule<unknown>);
  return rule;
}

/** Throws for an expression that no schema of ours has. */
export function ruleOf(expression: string): Rule<unknown> {
  const rule = rules.get(expression);
  if (rule === undefined) throw new Error(`no rule is known as ${expression}`);
  return rule;
}

/** Attaches rules to a schema: to its zod check and, as metadata, to the schema in the CRD. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.infer<S>>[]): S {
  return schema
    .superRefine((value: z.infer<S>, context) => {
      for (const rule of rules) {
        if (rule.check(value)) continue;
        context.addIssue({ code: 'custom', message: rule.explain?.(value) ?? rule.message });
      }
    })
    .meta({ 'x-kubernetes-validations': rules.map(known).map(celOf) });
}

/**
 * The wrong type and the unknown word are told by the API server in its own words, before it asks any rule. Where
 * they do not help, the CRD is made to let them pass and a rule refuses them; the schema's own error has to be
 * the same message. Nothing that is not of the schema's type is ever stored.
 */
export function intOrTold<S extends z.ZodType<number>>(schema: S, message: string): S {
  return told(
    schema,
    { rule: 'type(self) == int', message, check: Number.isInteger },
    { 'x-kubernetes-int-or-string': true },
  );
}

/** The same for one of several words; as in the LabelSelector of Kubernetes, the schema has no list of them. */
export function enumOrTold<S extends z.ZodEnum>(schema: S, message: string): S {
  const words = schema.options.map((word) => `'${word}'`).join(', ');
  const check = (value: unknown) => schema.options.some((word) => word === value);
  return told(schema, { rule: `self in [${words}]`, message, check }, { enum: undefined, maxLength: 63 });
}

function told<S extends z.ZodType>(schema: S, rule: Rule<unknown>, form: Record<string, unknown>): S {
  const { 'x-kubernetes-validations': others = [] } = (schema.meta() ?? {}) as {
    'x-kubernetes-validations'?: readonly Record<string, string>[];
  };
  return schema.meta({ ...form, 'x-kubernetes-validations': [celOf(known(rule)), ...others] });
}

/** As it stands in a CRD. */
export function celOf(rule: Rule<never>): Record<string, string> {
  const { rule: expression, message, messageExpression } = rule;
  return messageExpression === undefined
    ? { rule: expression, message }
    : { rule: expression, message, messageExpression };
}
