import { isDeepStrictEqual } from 'node:util';

import { until } from '../cluster/wait.ts';
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
  const { client } = stage;
  const startedAt = performance.now();
  const path = [{ name: 'nat', type: 'NAT', idleTimeoutSeconds }];
  const { metadata } = await client.patch(policy, { spec: { path } });
  await until(
    `${policy.name} is Ready again`,
    async () => {
      if (stage.ranOutOfHeap) throw new OutOfHeap();
      const { status = {} } = await client.get<{ status?: PolicyStatus }>(policy);
      const isReady = (status.conditions ?? []).some(
        ({ type, status: is }) => type === 'Ready' && is === 'True',
      );
      return isReady && status.observedGeneration === metadata.generation;
    },
    { timeoutMs: patienceMs, everyMs: 20 },
  );
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
  const selected = async () =>
    (await client.get<{ status?: PolicyStatus }>(policy)).status?.pods?.selected ?? 0;
  const before = await selected();
  const inSpace = { ...resourceOf.pods, namespace };
  const plan = { index: at, name: `workload-${at}-probe-${stage.starts}`, namespace, node: nodeName(at) };
  const { metadata } = await client.create(inSpace, podObject(plan));
  const startedAt = performance.now();
  const target = { ...inSpace, name: plan.name, uid: metadata.uid };
  await client.replaceStatus(target, runningStatus, { fieldManager: 'bench' });
  const isCounted = async () => {
    if (stage.ranOutOfHeap) throw new OutOfHeap();
    return !isDeepStrictEqual(await selected(), before);
  };
  await until('the pod is counted', isCounted, { timeoutMs: patienceMs, everyMs: 20 });
  return performance.now() - startedAt;
}
