import type { LabelSelector } from '../api/selector.ts';

interface ResourceRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

/**
 * What an admission policy is asked about, with all that the API server would fill in. To server-side apply this is one field, and
 * whoever compares without asking the API server, by the kinds that its own libraries know, would take what is missing for a
 * difference that no apply takes away: Argo CD 3.2 does of a MutatingAdmissionPolicy.
 */
export function matchConstraints(
  rules: readonly ResourceRule[],
  {
    namespaceSelector = {},
    objectSelector = {},
  }: { readonly namespaceSelector?: LabelSelector; readonly objectSelector?: LabelSelector } = {},
) {
  return {
    matchPolicy: 'Equivalent',
    namespaceSelector,
    objectSelector,
    resourceRules: rules.map((rule) => ({ ...rule, scope: '*' })),
  };
}
