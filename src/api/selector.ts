import * as z from 'zod';

import type { Rule } from './rule.ts';
import { enumOrTold, withRules } from './rule.ts';

/** A label key: an optional DNS prefix of at most 253 characters, a slash, and a name of at most 63. */
export const labelKey =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*[/])?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
export const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const maxKeyLength = 317;
/** labelKey cannot count its prefix, whose parts are of any length; RE2, which CEL uses, has no look-ahead. */
const keyLengths = /^([^/]{1,253}[/])?[^/]{1,63}$/;
const maxEntries = 32;

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
const operatorMessage =
  `the operator of a label selector is one of ${operators.join(', ')}. Gt and Lt are for the node affinity of pods: ` +
  'labels are texts here, so list the values with In';

const requirementShape = z.object({
  key: z.string().min(1).max(maxKeyLength).regex(labelKey).describe('The label key.'),
  operator: enumOrTold(z.enum(operators, { error: operatorMessage }), operatorMessage).describe(
    'In, NotIn, Exists or DoesNotExist. In and NotIn compare with values; Exists and DoesNotExist take none.',
  ),
  values: z
    .array(z.string().max(63).regex(labelValue))
    .max(maxEntries)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('Label values: at least one for In and NotIn, none for Exists and DoesNotExist.'),
});

const requirementRules: readonly Rule<z.infer<typeof requirementShape>>[] = [
  {
    rule: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || size(self.values) == 0",
    message: 'In and NotIn need at least one value; Exists and DoesNotExist take none',
    check: ({ operator, values = [] }) =>
      !operators.includes(operator) || ['In', 'NotIn'].includes(operator) === values.length > 0,
  },
  {
    rule: `self.key.matches('${keyLengths.source}')`,
    message: 'the prefix of a label key has at most 253 characters, its name at most 63',
    check: ({ key }) => keyLengths.test(key),
  },
];

const labelMapRules: readonly Rule<Record<string, string>>[] = [
  {
    rule: `self.all(k, k.matches('${keyLengths.source}') && k.matches('${labelKey.source}') && self[k].matches('${labelValue.source}'))`,
    message: 'matchLabels needs valid label keys and values, such as app: mongo',
    check: (labels) =>
      Object.entries(labels).every(
        ([key, value]) => keyLengths.test(key) && labelKey.test(key) && labelValue.test(value),
      ),
  },
];

/** What maxProperties says in the CRD: zod has no limit for the entries of a record. */
const labelMap = z.record(z.string(), z.string().max(63)).superRefine((labels, context) => {
  if (Object.keys(labels).length <= maxEntries) return;
  const message = `Too big: expected at most ${maxEntries} labels`;
  context.addIssue({
    code: 'too_big',
    origin: 'object',
    maximum: maxEntries,
    inclusive: true,
    input: labels,
    message,
  });
});

/** A metav1.LabelSelector that the API server checks when it is written, not when it is first used. */
export const labelSelectorSchema = z.object({
  matchLabels: withRules(labelMap, labelMapRules)
    .meta({ maxProperties: maxEntries })
    .optional()
    .describe('Labels that must all be there with these values.'),
  matchExpressions: z
    .array(withRules(requirementShape, requirementRules))
    .max(maxEntries)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('Requirements that must all hold.'),
});
export type LabelSelector = z.infer<typeof labelSelectorSchema>;

const nonEmptyRule: Rule<LabelSelector> = {
  rule: 'has(self.matchLabels) && size(self.matchLabels) > 0 || has(self.matchExpressions) && size(self.matchExpressions) > 0',
  message:
    'an empty namespaceSelector is refused: leave it out to select every namespace, or say which, such as matchLabels: ' +
    '{kubernetes.io/metadata.name: db}. Fields of other kinds, such as matchNames and any, do not exist here',
  check: ({ matchLabels = {}, matchExpressions = [] }) =>
    Object.keys(matchLabels).length + matchExpressions.length > 0,
};

/**
 * The API server drops fields that it does not know: of a selector of another kind that was pasted in, `{}` is
 * left, which selects everything. Left out says the same and is never said by mistake.
 */
export const namespaceSelectorSchema = withRules(labelSelectorSchema, [nonEmptyRule]);
