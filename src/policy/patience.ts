import type { Effective, Finding } from '../api/status.ts';
import type { Triple } from '../api/triple.ts';
import { giveUpSeconds, kernelDefaults } from '../api/triple.ts';

/**
 * What somebody declares may end connections that the path would keep, after fewer or quicker probes than the kernel's own. What is
 * derived does not, nor does a declared time alone: nine probes of 75 s are the most patience there is.
 */
export function givesUpEarly(effective: Effective): Finding | undefined {
  const { declared, idleTimeoutSeconds, limitedBy, probes } = effective;
  const raised = raisable(effective);
  if (declared === undefined || raised.length === 0 || giveUpSeconds(effective) >= idleTimeoutSeconds)
    return undefined;
  return {
    reason: 'GivesUpEarly',
    message:
      `with the declared values a connection is given up after ${probes} lost probes, ${giveUpSeconds(effective)} s after the ` +
      `last packet, while ${limitedBy} remembers it for ${idleTimeoutSeconds} s: raise ${raised.join(' or ')}, unless that is what you want`,
  };
}

function raisable({ intervalSeconds, probes }: Triple): readonly string[] {
  return [
    ...(probes < kernelDefaults.probes ? ['probes'] : []),
    ...(intervalSeconds < kernelDefaults.intervalSeconds ? ['intervalSeconds'] : []),
  ];
}
