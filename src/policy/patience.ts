import { derive } from '../api/derive.ts';
import type { Effective, Finding } from '../api/status.ts';
import type { Triple } from '../api/triple.ts';
import { giveUpSeconds } from '../api/triple.ts';

/** What somebody declares may end connections that the path would keep; what is derived does not where the kernel lets it. */
export function givesUpEarly(effective: Effective): Finding | undefined {
  const { declared, idleTimeoutSeconds, limitedBy, probes } = effective;
  const isEarly = (triple: Triple) => giveUpSeconds(triple) < idleTimeoutSeconds;
  if (declared === undefined || !isEarly(effective) || isEarly(derive(idleTimeoutSeconds))) return undefined;
  return {
    reason: 'GivesUpEarly',
    message:
      `with the declared values a connection is given up after ${probes} lost probes, ${giveUpSeconds(effective)} s after the ` +
      `last packet, while ${limitedBy} remembers it for ${idleTimeoutSeconds} s: raise probes or intervalSeconds, unless that is what you want`,
  };
}
