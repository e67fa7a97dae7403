import type { Verdict } from '../api/condition.ts';
import type { Installation } from './installation.ts';
import { actsOnPods, differenceFault } from './obstacle.ts';
import type { Policy } from './policy.ts';
import type { Progress } from './progress.ts';
import { missingReason, stays, toldReady } from './progress.ts';
import type { PolicyRecord } from './record.ts';
import { installPage } from './remedy.ts';

/**
 * Whoever applies the operator and policies together does so in any order: Helm makes kinds that it does not know last, and Flux
 * gives up on the first that is Stalled. So what is missing is waited for, with room to spare for a slow API server.
 */
export const installingMs = 60_000;

interface Course {
  readonly record: PolicyRecord;
  readonly installation: Installation;
  /** How long ago this process began to wait; undefined: it did not. */
  readonly activatingForMs: number | undefined;
}

/** How far a policy is that the installation keeps from new pods; undefined where it does not. */
export function heldUp(policy: Policy, course: Course): Progress | undefined {
  if (!actsOnPods(policy)) return undefined;
  if (course.installation.missing.length > 0) return lacking(course);
  const fault = differenceFault(course.installation);
  return fault && differing(fault, course);
}

/**
 * An upgrade brings the objects of the next version while a controller of the one before still leads: they act, so what was Ready
 * stays so for as long as that may take.
 */
function differing(fault: Verdict, { record, activatingForMs }: Course): Progress {
  const ready = fault.kind === 'reconciling' ? toldReady(record) : undefined;
  const againAfterMs = Math.max(0, installingMs - (activatingForMs ?? 0));
  if (ready === undefined || againAfterMs === 0) return stays(fault);
  const { reason, message } = ready;
  const activation = activatingForMs === undefined ? 'begins' : 'goes on';
  return { verdict: { kind: 'ready', reason, message }, againAfterMs, activation };
}

/** For a while, what is missing is taken for what an installation under way brings. */
function lacking({ record, installation: { missing: objects }, activatingForMs }: Course): Progress {
  const isTold = (wanted: string) =>
    record.status.observedGeneration === record.generation &&
    (record.status.conditions ?? []).some(({ type, reason }) => type === wanted && reason === missingReason);
  // Another process may have waited: what was told stays told.
  if (isTold('Stalled')) return stays(stalled(objects));
  // Of a wait that another process began nothing is known: it begins anew.
  const forMs = isTold('Reconciling') ? activatingForMs : undefined;
  const againAfterMs = Math.max(0, installingMs - (forMs ?? 0));
  if (againAfterMs === 0) return stays(stalled(objects));
  const activation = forMs === undefined ? 'begins' : 'goes on';
  return { verdict: awaited(objects), againAfterMs, activation };
}

function awaited(objects: readonly string[]): Verdict {
  const message =
    `${are(objects)} not installed yet, so no new pod is changed: in an installation that passes by itself; ` +
    `otherwise install the operator again (${installPage})`;
  return { kind: 'reconciling', reason: missingReason, message };
}

function stalled(objects: readonly string[]): Verdict {
  const message = `${are(objects)} not installed, so no new pod is changed: install the operator again (${installPage})`;
  return { kind: 'stalled', reason: missingReason, message };
}

function are(objects: readonly string[]): string {
  return `${objects.join(', ')} ${objects.length === 1 ? 'is' : 'are'}`;
}
