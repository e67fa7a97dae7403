import type { NodePolicyReport } from '../api/node-keepalive.ts';
import { asDigest, fnv1a } from './fnv.ts';
import type { PodView } from './pod.ts';

/**
 * Which pods a number of them are, in one number: two who count the same pods have the same one, in whatever order they met them,
 * and one pod in the place of another makes it another. Sums modulo 2^31, as the API can hold them; 0 for no pods.
 */
export function digestOfPods(uids: Iterable<string>): number {
  let sum = 0;
  for (const uid of uids) sum = (sum + partOf(uid)) | 0;
  return asDigest(sum);
}

/** What one pod adds. */
export const partOf = fnv1a;

/** The same of a pod of which it may have been reckoned before. */
export function partOfPod({ uid = '', digestPart }: Pick<PodView, 'uid' | 'digestPart'>): number {
  return digestPart ?? partOf(uid);
}

/** Whether it speaks of other pods than this one alone; one of an agent of an earlier version, which tells no digest, is believed. */
export function speaksOfOthers(
  { podsDigest = 0 }: Pick<NodePolicyReport, 'podsDigest'>,
  uid: string,
): boolean {
  return podsDigest !== 0 && digestOfPods([uid]) !== podsDigest;
}
