import type { LabelSelector } from '../api/selector.ts';

type Labels = Readonly<Record<string, string>>;
type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/** As the API server does: every label and every requirement must hold; an empty selector selects all. */
export function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => has(labels, key) && labels[key] === value) &&
    matchExpressions.every((requirement) => holds(requirement, labels))
  );
}

function holds({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = has(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Labels come from users: a key such as `constructor` must not be found on the prototype. */
function has(labels: Labels, key: string): boolean {
  return Object.hasOwn(labels, key);
}
