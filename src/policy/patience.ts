import type { Effective, Finding } from '../api/status.ts';
import { giveUpSeconds, kernelDefaults, latestSecondProbe } from '../api/triple.ts';

/**
 * What somebody declares may end connections that the path would keep: after fewer or quicker probes than the kernel's own, or with a time
 * that leaves room only for a short interval. What is derived does not, nor does a shorter time alone: nine probes of 75 s are the
 * most patience there is.
 */
export function givesUpEarly(effective: Effective): Finding | undefined {
  const { declared, idleTimeoutSeconds, limitedBy, probes } = effective;
  if (declared === undefined || giveUpSeconds(effective) >= idleTimeoutSeconds) return undefined;
  const advice = adviceFor(effective);
  if (advice.length === 0) return undefined;
  return {
    reason: 'GivesUpEarly',
    message:
      `with the declared values a connection is given up after ${probes} lost probes, ${giveUpSeconds(effective)} s after the ` +
      `last packet, while ${limitedBy} remembers it for ${idleTimeoutSeconds} s: ${advice.join(', or ')}, unless that is what you want`,
  };
}

function adviceFor(effective: Effective): readonly string[] {
  const isShort = effective.intervalSeconds < kernelDefaults.intervalSeconds;
  const raised = [
    ...(effective.probes < kernelDefaults.probes ? ['probes'] : []),
    ...(isShort && hasRoom(effective) ? ['intervalSeconds'] : []),
  ];
  return [
    ...(raised.length === 0 ? [] : [`raise ${raised.join(' or ')}`]),
    ...(isShort && !hasRoom(effective)
      ? ['lower timeSeconds, which leaves no room for a longer intervalSeconds']
      : []),
  ];
}

/** Whether a longer interval is taken: a time that is derived gives way to it, one that is declared does not. */
function hasRoom({ idleTimeoutSeconds, intervalSeconds, declared }: Effective): boolean {
  return (declared?.timeSeconds ?? 1) + intervalSeconds < latestSecondProbe(idleTimeoutSeconds);
}
