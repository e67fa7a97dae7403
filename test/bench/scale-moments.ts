import type { PolicyStatus } from '../../src/api/status.ts';
import { nodeName, podObject, resourceOf, runningStatus } from '../storm/crowd.ts';
import type { platformTarget, teamTarget } from '../storm/crowd.ts';
import type { Stage } from '../storm/stage.ts';

/** A change of a status is waited for as long; the largest sizes take half of it. */
export const patienceMs = 1_800_000;

/** The controller did: what is waited for will not come. */
export class OutOfHeap extends Error {}

/** All at once, each of its own: what they wait for is mostly the turn of agents. */
export function timesOf(count: number, once: (at: number) => Promise<number>): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => once(at)));
}

type Policy = ReturnType<typeof teamTarget> | ReturnType<typeof platformTarget>;

/** Milliseconds from the write of a spec to a status that speaks of it, and is Ready. */
export async function edited(stage: Stage, policy: Policy, idleTimeoutSeconds: number): Promise<number> {
  const startedAt = performance.now();
  const made = await stage.edit(policy, idleTimeoutSeconds);
  await told(stage, policy, `${policy.name} is Ready again`, ({ observedGeneration, conditions = [] }) => {
    const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    return isReady && observedGeneration === made;
  });
  return performance.now() - startedAt;
}

/** Milliseconds from a pod that runs to a status that counts it. */
export async function podMade(
  stage: Stage,
  policy: ReturnType<typeof teamTarget>,
  at: number,
): Promise<number> {
  const { client } = stage;
  const { namespace } = policy;
  const before = stage.statuses.of(policy)?.status.pods?.selected ?? 0;
  const inSpace = { ...resourceOf.pods, namespace };
  const plan = { index: at, name: `workload-${at}-probe-${stage.starts}`, namespace, node: nodeName(at) };
  const { metadata } = await client.create(inSpace, podObject(plan));
  const startedAt = performance.now();
  const target = { ...inSpace, name: plan.name, uid: metadata.uid };
  await client.replaceStatus(target, runningStatus, { fieldManager: 'bench' });
  await told(stage, policy, 'the pod is counted', ({ pods }) => (pods?.selected ?? 0) !== before);
  return performance.now() - startedAt;
}

function told(
  stage: Stage,
  policy: Policy,
  what: string,
  isSo: (status: PolicyStatus) => boolean,
): Promise<void> {
  const look = () => {
    if (stage.ranOutOfHeap) throw new OutOfHeap();
    return isSo(stage.statuses.of(policy)?.status ?? {});
  };
  return stage.statuses.until(what, look, patienceMs);
}
