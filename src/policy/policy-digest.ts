import type { NodePolicyReport } from '../api/node-keepalive.ts';
import type { Effective } from '../api/status.ts';
import { tripleKeys } from '../api/triple.ts';
import { asDigest, fnv1a } from './fnv.ts';

/** What tells one state of a policy from every other that its name has had. */
export interface Edition {
  /** Begins at 1 again where a policy was deleted and made anew. */
  readonly generation: number;
  /** As of {@link digestOfPolicy}. */
  readonly digest: number;
}

export function editionOf(
  { uid, generation }: { uid: string; generation: number },
  effective: Effective,
): Edition {
  return { generation, digest: digestOfPolicy(uid, effective) };
}

/**
 * Which object a policy is, and which values follow from it, in one number from 1 to 2^31 - 1: agent and controller may be of
 * versions that derive other values from the same spec.
 */
export function digestOfPolicy(uid: string, effective: Effective): number {
  const { idleTimeoutSeconds, declared = {} } = effective;
  const values = tripleKeys.flatMap((key) => [effective[key], declared[key] ?? '']);
  return asDigest(fnv1a([uid, idleTimeoutSeconds, ...values].join('/'))) || 1;
}

/** An agent of a version that tells no digest is believed by the generation alone. */
export function speaksOf(
  { observedGeneration, policyDigest = 0 }: Pick<NodePolicyReport, 'observedGeneration' | 'policyDigest'>,
  { generation, digest }: Edition,
): boolean {
  return observedGeneration === generation && (policyDigest === 0 || policyDigest === digest);
}
