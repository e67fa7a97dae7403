/** Of each sort. */
export const policies = 100;

/** Teams with policies of their own and no pod here: with the two hundred of the places below a thousand of namespaces. */
export const teams = { count: 80, each: 10 } as const;

/** Which of the hundred policies of a kind a pod meets, by the value of its label. */
export const crowds = [
  { label: 'one', matching: 1 },
  { label: 'three', matching: 3 },
  { label: 'ten', matching: 10 },
] as const;

/** The crowds that the policy with this number selects; the first ten select one or more, the others none. */
export function crowdsOf(index: number): string[] {
  return crowds.filter(({ matching }) => index < matching).map(({ label }) => label);
}

/** Of the others, a label that no pod has. */
export function selectorOf(index: number): object {
  const values = crowdsOf(index);
  if (values.length === 0) return { matchLabels: { crowd: `other-${index}` } };
  return { matchExpressions: [{ key: 'crowd', operator: 'In', values }] };
}
