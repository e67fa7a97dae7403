import { isDeepStrictEqual } from 'node:util';

import type { Verdict } from '../api/condition.ts';
import type { Condition } from '../api/status.ts';
import type { Assessment } from './assess.ts';
import type { BindingStep } from './binding-step.ts';
import type { Evidence } from './evidence.ts';
import { patienceMs, remainingMs } from './evidence.ts';
import { actsOnPods } from './obstacle.ts';
import type { AdmissionMode } from './mode.ts';
import type { EffectivePolicy } from './policy.ts';
import type { PolicyRecord } from './record.ts';
import type { NodeFacts } from './rollup.ts';
import {
  activatingReason,
  activatingVerdict,
  awaitingVerdict,
  inactiveReason,
  inactiveVerdict,
  readyVerdict,
} from './verdict.ts';
import type { WaitedFor } from './waited-for.ts';

/** How far a policy is that nothing keeps from acting. */
export interface Progress {
  readonly verdict: Verdict;
  /** Look again then, although nothing may have changed. */
  readonly againAfterMs: number | undefined;
  /** Whether an activation begins with this plan, goes on, or is none. */
  readonly activation: 'begins' | 'goes on' | 'none';
}

/** Said of a policy whose objects of the manifests are not there. */
export const missingReason = 'AdmissionMissing';

export function stays(verdict: Verdict): Progress {
  return { verdict, againAfterMs: undefined, activation: 'none' };
}

export type Counts = Pick<Assessment, 'pods' | 'nodes' | 'hosts' | 'connections'>;

interface Course {
  readonly record: PolicyRecord;
  readonly facts: Pick<NodeFacts, 'anyAgent'>;
  /** How long ago this process began the activation under way, on a clock that never steps; undefined: it did not. */
  readonly activatingForMs: number | undefined;
  readonly evidence: Evidence;
  readonly mode: AdmissionMode;
}

interface Doing {
  readonly binding: BindingStep;
  readonly waitedFor: WaitedFor;
  readonly counts: Counts;
}

/** Ready once the API server acts by the last change, and the agents say that they do. */
export function progressOf(
  course: Course,
  policy: EffectivePolicy,
  { binding, waitedFor: { nodes }, counts }: Doing,
): Progress {
  const activating = activationOf(course, policy, binding);
  if (activating !== undefined) return activating;
  const { record, facts, evidence } = course;
  // Where it was Ready once, a node that comes, or comes back, only shows in the counts: it must not flap.
  return stays(
    nodes.length === 0 || wasReady(record)
      ? readyVerdict(policy, { anyAgent: facts.anyAgent, evidence, ...counts })
      : awaitingVerdict(nodes, record.generation),
  );
}

/** Undefined where the API server has nothing to take up, or has taken it up. */
function activationOf(
  { record, activatingForMs, evidence, mode }: Course,
  policy: EffectivePolicy,
  binding: BindingStep,
): Progress | undefined {
  if (!actsOnPods(policy)) return undefined;
  const isSettled = saysWhatIs(record, policy, binding);
  if (isSettled && isAtRest(record, evidence)) return undefined;
  // Of an activation that another process began nothing is known: it begins anew.
  const forMs = isSettled ? activatingForMs : undefined;
  const againAfterMs = forMs === undefined ? patienceMs(evidence) : remainingMs(evidence, forMs);
  if (againAfterMs === 0) return undefined;
  const verdict =
    evidence.kind === 'silent' ? inactiveVerdict(policy.kind, mode) : activatingVerdict(record.generation);
  return { verdict, againAfterMs, activation: forMs === undefined ? 'begins' : 'goes on' };
}

function isAtRest(record: PolicyRecord, { kind }: Evidence): boolean {
  return kind !== 'silent' && !isActivating(record);
}

function wasReady(record: PolicyRecord): boolean {
  return toldReady(record) !== undefined;
}

/** The condition Ready where it is True of the present generation. */
export function toldReady({ status, generation }: PolicyRecord): Condition | undefined {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return status.observedGeneration === generation && ready?.status === 'True' ? ready : undefined;
}

/** Whether what is told of the policy, and what is bound, is what the spec says by now. */
function saysWhatIs(
  { status, generation }: PolicyRecord,
  { effective }: EffectivePolicy,
  binding: BindingStep,
): boolean {
  const inTheWay = ({ type, reason }: { type: string; reason: string }) =>
    type === 'Stalled' || (type === 'Reconciling' && ['AdmissionDiffers', missingReason].includes(reason));
  return (
    binding.do === 'keep' &&
    !(status.conditions ?? []).some(inTheWay) &&
    status.observedGeneration === generation &&
    status.admission !== 'Withheld' &&
    isDeepStrictEqual(status.effective, effective)
  );
}

function isActivating({ status }: PolicyRecord): boolean {
  return (status.conditions ?? []).some(
    ({ type, reason }) =>
      type === 'Reconciling' && [activatingReason, inactiveReason, 'BindingFailed'].includes(reason),
  );
}
