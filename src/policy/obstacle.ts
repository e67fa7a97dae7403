import type { Verdict } from '../api/condition.ts';
import type { Installation } from './installation.ts';
import type { Policy } from './policy.ts';
import type { PolicyRecord } from './record.ts';
import { installPage } from './remedy.ts';
import { shorthand } from '../api/triple.ts';

/** Only an object stored before a rule existed gives none: the API server refuses such a spec. */
const noValues = 'spec.path gives no values: declare at least one hop that follows packets';

/** Why nothing can be derived from what the spec says, and what holds meanwhile: nothing where it is withheld. */
export function unreadable(
  { problems, isNewer = false, status }: PolicyRecord,
  isWithheld: boolean,
): Verdict {
  const meanwhile =
    status.effective === undefined || isWithheld
      ? 'until then nothing acts'
      : `until then the values that were understood before (${shorthand(status.effective)}) are kept`;
  const what = problems ?? noValues;
  return isNewer
    ? {
        kind: 'stalled',
        reason: 'NotUnderstood',
        message: `This version of the operator does not understand the spec (${what}). Upgrade the operator, or take that out of the spec; ${meanwhile}`,
      }
    : {
        kind: 'stalled',
        reason: 'InvalidSpec',
        message: `The spec cannot be read (${what}). Correct it and apply it again; ${meanwhile}`,
      };
}

/** Whether admission has anything to do for it. */
export function actsOnPods({ spec }: Policy): boolean {
  return spec.mode === 'Enforce' && spec.podSelector !== undefined;
}

/** What of the installation is not as this version makes it, and may keep new pods from getting the values. */
export function differenceFault({ differing }: Installation): Verdict | undefined {
  const edited = differing.filter(({ by }) => by === 'somebody');
  const [first] = edited.length > 0 ? edited : differing;
  if (first === undefined) return undefined;
  const what = `${first.object} differs in ${first.field} from what this version installs`;
  return first.by === 'somebody'
    ? {
        kind: 'stalled',
        reason: 'AdmissionDiffers',
        message: `${what}: somebody edited it, and new pods may not get the values. Install the operator again (${installPage})`,
      }
    : {
        kind: 'reconciling',
        reason: 'AdmissionDiffers',
        message: `${what}: it is of another version. In an upgrade this passes by itself; if it stays, install that of the version that runs (${installPage})`,
      };
}
