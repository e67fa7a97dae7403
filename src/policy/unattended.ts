import { timestamp } from '../api/condition.ts';
import type { PolicyStatus } from '../api/status.ts';
import type { AdmissionMode } from './mode.ts';
import type { PolicyRecord } from './record.ts';

const newPods: Readonly<Record<AdmissionMode, string>> = {
  policy: 'New pods get the values as long as the admission policies are installed',
  webhook:
    'New pods start without the values: the webhook went with it. Agents, where they are left, give them theirs',
};
const messageOf = (mode: AdmissionMode) =>
  'The controller was taken away: nobody counts what is covered, and nobody keeps this status. ' +
  `${newPods[mode]}. Install the controller again, or delete the policy`;

/** The status of a policy that nobody looks after any more. What admission reads stays; no count does. */
export function unattendedStatus({ status }: PolicyRecord, now: Date, mode: AdmissionMode): PolicyStatus {
  const { observedGeneration, effective, admission, refusals, conditions = [] } = status;
  const before = conditions.find(({ type }) => type === 'Ready');
  return {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(effective === undefined ? {} : { effective }),
    // Switched off, or past a limit, it must not act because nobody is there any more to say so.
    ...(admission === undefined ? {} : { admission }),
    ...(refusals === undefined ? {} : { refusals }),
    conditions: [
      {
        type: 'Ready',
        status: 'Unknown',
        reason: 'OperatorRemoved',
        message: messageOf(mode),
        observedGeneration: Math.max(0, observedGeneration ?? 0),
        lastTransitionTime: before?.status === 'Unknown' ? before.lastTransitionTime : timestamp(now),
      },
    ],
  };
}
