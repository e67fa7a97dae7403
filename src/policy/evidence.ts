/** Whether the API server acts by what was last written of a policy, as far as it was asked. */
export type Evidence =
  /** It does. `others`: API servers that could not be asked themselves. */
  | { readonly kind: 'seen'; readonly others: boolean }
  /** It was not asked yet, or has not taken it up yet. */
  | { readonly kind: 'awaited' }
  /** It answers, and lets pods pass unchanged, for longer than it takes to take something up. */
  | { readonly kind: 'silent' }
  /** It cannot be asked. */
  | { readonly kind: 'unknown'; readonly why: string };

export const awaited: Evidence = { kind: 'awaited' };

/**
 * How long a policy is called Reconciling after it changed where that cannot be seen: an API server takes up new bindings
 * once a second (k8s.io/apiserver admission/plugin/policy/generic, policy refresh), with room to spare.
 */
export const activationMs = 3000;

/** How long to wait for what is written only now, which no evidence is of; undefined: until there is news. */
export function patienceMs({ kind }: Evidence): number | undefined {
  return kind === 'unknown' ? activationMs : undefined;
}

/** How long it has still to be waited for, where `forMs` went by since it was written; undefined: until there is news. */
export function remainingMs(evidence: Evidence, forMs: number): number | undefined {
  switch (evidence.kind) {
    case 'seen':
      return evidence.others ? Math.max(0, activationMs - forMs) : 0;
    case 'unknown':
      return Math.max(0, activationMs - forMs);
    case 'awaited':
    case 'silent':
      return undefined;
  }
}
