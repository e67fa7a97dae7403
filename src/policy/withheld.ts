import type { Verdict } from '../api/condition.ts';
import type { Settings } from '../api/settings.ts';
import { SETTINGS_NAME } from '../api/settings.ts';
import { beyondLimits, inExcess, repairsBeyondLimits, wasBeyondLimits } from './limits.ts';
import type { Policy } from './policy.ts';
import type { PolicyRecord } from './record.ts';

/**
 * Why a policy does not act, although its spec asks for it: what its Ready condition says then. `ready`: an
 * administrator wants it so. `stalled`: its owner has to do something, and nobody looks at it until then.
 */
export type Withheld = Exclude<Verdict, { kind: 'reconciling' }>;

/** A policy, and what decides whether it may act. */
export interface Claim {
  readonly record: PolicyRecord;
  readonly settings: Settings;
  /** Its namespace has as many older ones as it may have. */
  readonly inExcess: boolean;
}

/** In the order in which a reader should hear of them: what only its owner can mend comes first. */
const reasons: readonly ((claim: Claim) => Withheld | undefined)[] = [oneTooMany, asksTooMuch, switchedOff];

export function withheld(claim: Claim): Withheld | undefined {
  for (const reason of reasons) {
    const found = reason(claim);
    if (found !== undefined) return found;
  }
  return undefined;
}

function oneTooMany({ record, settings, inExcess: tooMany }: Claim): Withheld | undefined {
  if (!tooMany) return undefined;
  const { policiesPerNamespace: limit } = settings;
  const why =
    limit === 0
      ? `ConfigMap ${SETTINGS_NAME} (policiesPerNamespace: 0) allows none in any namespace. Ask whoever administers the cluster`
      : `namespace ${record.namespace} has ${limit} older ones, and ConfigMap ${SETTINGS_NAME} (policiesPerNamespace) allows ` +
        'no more. Delete one, say in one policy what several say, or ask whoever administers the cluster';
  return {
    kind: 'stalled',
    reason: 'TooManyPolicies',
    message: `Nothing is done for it: ${why}`,
  };
}

function asksTooMuch({ record: { kind, policy }, settings }: Claim): Withheld | undefined {
  if (kind !== 'KeepalivePolicy' || policy === undefined) return undefined;
  const what = beyondLimits(policy.spec, settings);
  if (what === undefined) return undefined;
  return {
    kind: 'stalled',
    reason: 'BeyondLimits',
    message: `Nothing is done for it: ${what}. Declare a longer one, or ask whoever administers the cluster`,
  };
}

function switchedOff({ record: { policy }, settings: { acting } }: Claim): Withheld | undefined {
  if (acting === 'Enforce' || policy?.spec.mode !== 'Enforce') return undefined;
  const running =
    acting === 'Audit' ? 'what it set before stays' : 'what agents set in running pods and nodes goes back';
  return {
    kind: 'ready',
    reason: 'SwitchedOff',
    message:
      `Nothing is changed for any policy, and ${running}: an administrator said so in ConfigMap ` +
      `${SETTINGS_NAME} (acting: ${acting})`,
  };
}

/**
 * Of one whose spec cannot be read any more, so that nobody can tell whether it would act: where what was understood last may not
 * act, it does not begin to.
 */
export function unreadIsWithheld({ record: { kind, status }, settings }: Claim): boolean {
  const { effective } = status;
  const isBeyond =
    kind === 'KeepalivePolicy' && effective !== undefined && wasBeyondLimits(effective, settings);
  return isBeyond || settings.acting !== 'Enforce';
}

/** A policy as it may act; `undefined` where nobody may look at it, or its spec cannot be read. */
export function asItMayAct({ record, settings }: Claim, why: Withheld | undefined): Policy | undefined {
  const { policy } = record;
  if (policy === undefined || why?.kind === 'stalled') return undefined;
  if (why !== undefined) return asSwitchedOff(policy);
  const onlyObserves = record.kind === 'KeepalivePolicy' && repairsBeyondLimits(policy.spec, settings);
  return onlyObserves ? { ...policy, spec: { ...policy.spec, openConnections: 'Observe' } } : policy;
}

/** What an administrator lets nobody do is done as in Audit. */
export function asSwitchedOff(policy: Policy): Policy {
  return { ...policy, spec: { ...policy.spec, mode: 'Audit' }, switchedOff: true };
}

/** Those of many that may act, each as it may. */
export function thoseThatMayAct(
  records: Iterable<PolicyRecord>,
  settings: Settings,
): (PolicyRecord & { readonly policy: Policy })[] {
  const all = [...records];
  const excess = inExcess(all, settings);
  return all.flatMap((record) => {
    const claim = { record, settings, inExcess: excess.has(record) };
    const policy = asItMayAct(claim, withheld(claim));
    return policy === undefined ? [] : [{ ...record, policy }];
  });
}
