/** A ServiceAccount. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** As an object names it in `ownerReferences`; more than that is kept as it is. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

interface Claims {
  readonly 'kubernetes.io'?: {
    readonly namespace?: string;
    readonly serviceaccount?: { readonly name?: string; readonly uid?: string };
  };
}

/** Whose token it is, without a request. Undefined where the token does not say. */
export function accountOf(token: string): Account | undefined {
  const { namespace, serviceaccount: { name, uid } = {} } = claimsOf(token)['kubernetes.io'] ?? {};
  return namespace && name && uid ? { namespace, name, uid } : undefined;
}

/**
 * The owners of what an account writes in its own namespace: it goes when the account goes, and not before. An API server takes a token
 * only for as long as the account of that name has the uid that the token says, so where one is made anew nobody writes as the one before.
 * No Deployment is such an owner: its pods write on for a while when it was made anew.
 */
export function ownedBy(
  account: Account | undefined,
  namespace: string,
  before: readonly Owner[],
): readonly Owner[] {
  // An owner in another namespace counts as one that is gone.
  if (account?.namespace !== namespace) return before;
  const { name, uid } = account;
  const others = before.filter((one) => one.kind !== 'ServiceAccount' || one.name !== name);
  return [...others, { apiVersion: 'v1', kind: 'ServiceAccount', name, uid }];
}

function claimsOf(token: string): Claims {
  try {
    const claims = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
    ) as Claims | null;
    return claims ?? {};
  } catch {
    return {};
  }
}
