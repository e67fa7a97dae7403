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

/** Attaches rules to a schema: to its zod check and, as metadata, to the schema in the CRD. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.infer<S>>[]): S {
  return schema
    .superRefine((value: z.infer<S>, context) => {
      for (const rule of rules) {
        if (rule.check(value)) continue;
        context.addIssue({ code: 'custom', message: rule.explain?.(value) ?? rule.message });
      }
    })
    .meta({ 'x-kubernetes-validations': rules.map(celOf) });
}

function celOf(rule: Rule<never>): Record<string, string> {
  const { rule: expression, message, messageExpression } = rule;
  return messageExpression === undefined
    ? { rule: expression, message }
    : { rule: expression, message, messageExpression };
}
