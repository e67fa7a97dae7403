import type { Condition, ConditionType } from './status.ts';

/** What one round has to say; only conditions that are said stay. */
export type Verdict =
  | { readonly kind: 'ready'; readonly reason: string; readonly message: string }
  /** Something is under way that will end by itself. */
  | { readonly kind: 'reconciling'; readonly reason: string; readonly message: string }
  /** A person has to act: the message says how. */
  | { readonly kind: 'stalled'; readonly reason: string; readonly message: string };

/** Whether everything that the policy selects is covered, as far as anybody has read it. */
export interface Coverage {
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
  /** What was read and is not covered for certain; undefined while no node agent reports. */
  readonly uncovered?: Uncovered | undefined;
  /** Why nobody will be able to tell, however long one waits; undefined where nothing keeps anybody from it but time. */
  readonly lasting?: string | undefined;
}

interface Uncovered {
  readonly pods: number;
  /** Of a policy that is for nodes. */
  readonly hosts?: number;
}

export interface ConditionContext {
  readonly generation: number;
  readonly now: Date;
  readonly previous: readonly Condition[];
}

const messageLimit = 1024;

/**
 * kstatus: `Reconciling` and `Stalled` are there only while true, `Ready` always, and each carries the
 * generation it was said of. lastTransitionTime moves only where the status of a condition changes. `Covered` is none of
 * its words, and none of those that tools take for a sign of trouble.
 */
export function conditionsOf(verdict: Verdict, coverage: Coverage, context: ConditionContext): Condition[] {
  const say = (
    type: ConditionType,
    status: Condition['status'],
    { reason, message }: Pick<Coverage, 'reason' | 'message'> = verdict,
  ): Condition => {
    const before = context.previous.find((condition) => condition.type === type);
    return {
      type,
      status,
      reason,
      message: message.slice(0, messageLimit),
      observedGeneration: context.generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : timestamp(context.now),
    };
  };
  const covered = say('Covered', coverage.status, coverage);
  switch (verdict.kind) {
    case 'ready':
      return [say('Ready', 'True'), covered];
    case 'reconciling':
      return [say('Ready', 'False'), covered, say('Reconciling', 'True')];
    case 'stalled':
      return [say('Ready', 'False'), covered, say('Stalled', 'True')];
  }
}

/** As metav1.Time is written: whole seconds. */
export function timestamp(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`;
}
