import type { Coverage } from '../api/condition.ts';
import { installPage } from './remedy.ts';

/** That the controller itself does not hear. */
export const silentReason = 'WatchSilent';

/**
 * What is said of coverage where nothing was heard for long of some resources that it is counted from. A counter-example settles it no
 * more, either: it is as old as all the rest. What was counted is told on, so that whoever waits for it to end does not take that for its end.
 */
export function asHeard(coverage: Coverage, unheard: readonly string[]): Coverage {
  if (unheard.length === 0) return coverage;
  const message =
    `The controller has heard nothing of ${unheard.join(', ')} for more than ten minutes, so what it knows may be old. ` +
    `Its log says why ("watch interrupted"): where that is 403, install the operator again (${installPage})`;
  return { ...coverage, status: 'Unknown', reason: silentReason, lasting: silentReason, message };
}
