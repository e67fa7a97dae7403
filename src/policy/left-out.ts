/** By a label that the API server gives to each namespace: no label of its own can be forgotten, or taken to be left out. */
export const nameLabel = 'kubernetes.io/metadata.name';

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface NamespaceSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly Expression[];
}

const byName = ({ key, operator }: Expression) => key === nameLabel && operator === 'NotIn';

/** Namespaces that the selector of a webhook leaves out by their names. */
export function leftOut(selector: unknown): string[] {
  const { matchExpressions = [] } = (selector ?? {}) as NamespaceSelector;
  return [...new Set(matchExpressions.filter(byName).flatMap(({ values = [] }) => values))];
}

/** The same of one webhook of a configuration, by its name. */
export function leftOutBy(name: string, webhooks: unknown): string[] {
  const all = (webhooks ?? []) as readonly { readonly name: string; readonly namespaceSelector?: unknown }[];
  return leftOut(all.find((one) => one.name === name)?.namespaceSelector);
}

/**
 * A selector as if nobody had left out more namespaces by their names than is wanted. GKE Autopilot does so with every webhook, and
 * nobody can have it otherwise: what is asked about all other namespaces stays as it should be.
 */
export function asIfNoMoreLeftOut(present: unknown, wanted: unknown): unknown {
  const { matchExpressions = [], matchLabels = {} } = (wanted ?? {}) as NamespaceSelector;
  const names = new Set(leftOut(present));
  const isNarrowed = leftOut(wanted).every((name) => names.has(name));
  if (!isNarrowed || names.has(matchLabels[nameLabel] ?? '')) return present;
  const others = ((present ?? {}) as NamespaceSelector).matchExpressions?.filter((one) => !byName(one)) ?? [];
  return { ...(present as NamespaceSelector), matchExpressions: [...matchExpressions, ...others] };
}
