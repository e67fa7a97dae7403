import type { LabelSelector } from '../../src/api/selector.ts';

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

const where = (...matchExpressions: Expression[]): LabelSelector => ({ matchExpressions });
const tier = (operator: Expression['operator'], ...values: string[]): Expression =>
  values.length === 0 ? { key: 'tier', operator } : { key: 'tier', operator, values };

/** A label and two requirements: each refuses some pod by itself. */
export const manyRequirements: LabelSelector = {
  matchLabels: { app: 'mongo' },
  matchExpressions: [tier('In', 'db'), { key: 'old', operator: 'DoesNotExist' }],
};

const rows: [
  sentence: string,
  labels: Record<string, string>,
  podSelector: LabelSelector,
  selected: boolean,
][] = [
  [
    'matchLabels takes a pod with these labels and more',
    { app: 'mongo', tier: 'db' },
    { matchLabels: { app: 'mongo' } },
    true,
  ],
  [
    'matchLabels finds a label with a prefix',
    { 'app.kubernetes.io/name': 'a' },
    { matchLabels: { 'app.kubernetes.io/name': 'a' } },
    true,
  ],
  ['matchLabels refuses another value', { app: 'web' }, { matchLabels: { app: 'mongo' } }, false],
  [
    'matchLabels refuses a pod without any label, even for an empty value',
    {},
    { matchLabels: { app: '' } },
    false,
  ],
  ['In takes each of its values', { tier: 'cache' }, where(tier('In', 'db', 'cache')), true],
  ['In takes an empty value that it names', { tier: '' }, where(tier('In', 'db', '')), true],
  ['In refuses another value', { tier: 'web' }, where(tier('In', 'db')), false],
  ['In refuses a pod without the label', { app: 'web' }, where(tier('In', 'db', '')), false],
  ['NotIn takes another value', { tier: 'web' }, where(tier('NotIn', 'db')), true],
  ['NotIn takes a pod without any label', {}, where(tier('NotIn', 'db')), true],
  ['NotIn refuses each of its values', { tier: 'db' }, where(tier('NotIn', 'web', 'db')), false],
  ['Exists takes an empty value', { tier: '' }, where(tier('Exists')), true],
  ['Exists refuses a pod without any label', {}, where(tier('Exists')), false],
  ['DoesNotExist takes a pod without any label', {}, where(tier('DoesNotExist')), true],
  ['DoesNotExist refuses an empty value', { tier: '' }, where(tier('DoesNotExist')), false],
  ['labels and expressions that all hold', { app: 'mongo', tier: 'db' }, manyRequirements, true],
  [
    'a label that holds beside an expression that does not',
    { app: 'mongo', tier: 'db', old: '' },
    manyRequirements,
    false,
  ],
  [
    'an expression that holds beside one that does not',
    { tier: 'db' },
    where(tier('In', 'db'), { key: 'app', operator: 'Exists' }),
    false,
  ],
];

/** Labels of a pod, and a selector of pods. */
export const selectorCases = rows.map(([sentence, labels, podSelector, selected]) => ({
  sentence,
  labels,
  podSelector,
  selected,
}));
