import type { SettingsReading } from '../api/settings.ts';
import { defaultSettings } from '../api/settings.ts';
import type { TripleKey } from '../api/triple.ts';
import { tripleKeys } from '../api/triple.ts';
import { generalFindings } from '../policy/finding.ts';
import { inExcess } from '../policy/limits.ts';
import type { EffectivePolicy } from '../policy/policy.ts';
import { describePolicy } from '../policy/policy.ts';
import type { PolicyRecord } from '../policy/record.ts';
import type { Requirement } from '../policy/requirement.ts';
import { requirementOf, together, valuesFor } from '../policy/requirement.ts';
import { asItMayAct, withheld } from '../policy/withheld.ts';
import type { Answer } from './cluster.ts';
import { judged } from './explain-report.ts';
import type { Asked, Match, Statement } from './explanation.ts';
import { note, unknown, wrong } from './explanation.ts';

/** A policy that selects what is explained, as it may act. */
export interface Selecting {
  readonly record: PolicyRecord;
  readonly policy: EffectivePolicy;
  /** Why it changes nothing. */
  readonly inactive: string | undefined;
  /** Nobody will do anything about it by himself: its owner has to. */
  readonly isStalled: boolean;
}

interface Considered {
  readonly records: readonly PolicyRecord[];
  readonly settings: Answer<SettingsReading>;
  readonly selects: (policy: EffectivePolicy) => boolean;
}

/** Those that select it, the shortest timeout first. */
export function selectingOf({ records, settings, selects }: Considered): Selecting[] {
  const holding = settings.known ? settings.value.settings : defaultSettings;
  const excess = inExcess(records, holding);
  return records
    .flatMap((record) => {
      const { policy } = record;
      if (policy?.effective === undefined || !selects(policy as EffectivePolicy)) return [];
      const claim = { record, settings: holding, inExcess: excess.has(record) };
      const why = withheld(claim);
      const acting = asItMayAct(claim, why);
      return [
        {
          record,
          policy: (acting ?? policy) as EffectivePolicy,
          inactive: why?.message ?? (policy.spec.mode === 'Audit' ? 'mode Audit changes nothing' : undefined),
          isStalled: why?.kind === 'stalled',
        },
      ];
    })
    .sort((a, b) => a.policy.effective.idleTimeoutSeconds - b.policy.effective.idleTimeoutSeconds);
}

export function matchesOf(selecting: readonly Selecting[]): Match[] {
  const binding = selecting.find(({ inactive }) => inactive === undefined);
  return selecting.map((one) => {
    const { kind, namespace, name, effective } = one.policy;
    return {
      ...{ kind, ...(namespace === '' ? {} : { namespace }), name, effective },
      ...(one.inactive === undefined ? {} : { inactive: one.inactive }),
      binds: one === binding,
    };
  });
}

/** What those that act ask for together. */
export function askedOf(selecting: readonly Selecting[]): Asked | undefined {
  const acting = selecting.filter(({ inactive }) => inactive === undefined);
  const requirement = together(acting.map(({ policy }) => requirementOf(policy.effective)));
  const [binding] = acting;
  if (requirement === undefined || binding === undefined) return undefined;
  const effective = acting.map(({ policy }) => policy);
  const declared = tripleKeys.flatMap((key) => declaredLine(key, requirement, effective));
  const given = (['timeSeconds', 'intervalSeconds'] as const).flatMap((key) =>
    givenLine(key, requirement, effective),
  );
  return {
    ...valuesFor(requirement),
    idleTimeoutSeconds: requirement.idleTimeoutSeconds,
    by: describePolicy(binding.policy),
    hop: binding.policy.effective.limitedBy,
    declared: [...declared, ...given],
  };
}

function declaredLine(
  key: TripleKey,
  { declared: { [key]: least } }: Requirement,
  policies: readonly EffectivePolicy[],
): string[] {
  const by = policies.find(({ effective }) => effective.declared?.[key] === least);
  if (least === undefined || by === undefined) return [];
  return [`${key} ${least} at most: ${describePolicy(by)} declares it`];
}

/** What follows from a longer timeout, where more was declared for the shortest one. */
function givenLine(
  key: 'timeSeconds' | 'intervalSeconds',
  { [key]: least }: Requirement,
  policies: readonly EffectivePolicy[],
): string[] {
  const by = policies.find(({ effective }) => effective[key] === least);
  if (by === undefined || by === policies[0] || by.effective.declared?.[key] !== undefined) return [];
  return [`${key} ${least}: ${describePolicy(by)} gives it, behind ${by.effective.idleTimeoutSeconds} s`];
}

/** What there is to know of policies beside those that select it. */
export function policyStatements(
  selecting: readonly Selecting[],
  {
    records,
    cluster,
    settings,
  }: Pick<Considered, 'records' | 'settings'> & { readonly cluster: Answer<unknown> },
): Statement[] {
  const unread = records.filter(({ problems }) => problems !== undefined);
  return [
    ...selecting.filter(({ isStalled }) => isStalled).map(stalled),
    ...selecting.filter(({ isStalled }) => !isStalled).flatMap(notInForce),
    ...selecting.flatMap(inItself),
    ...unread.map(({ kind, name, problems }) =>
      unknown(`whether ${kind} ${name} selects it: its spec cannot be read (${problems})`),
    ),
    ...(cluster.known ? [] : [unknown(`whether cluster policies select it: ${cluster.why}`)]),
    ...(settings.known
      ? settings.value.settings.acting === 'Enforce'
        ? []
        : [note(`the whole product is switched to ${settings.value.settings.acting}: nothing is changed`)]
      : [
          unknown(
            `what the settings of the cluster allow, so that the defaults are taken for them: ${settings.why}`,
          ),
        ]),
  ];
}

function stalled({ policy, inactive = '' }: Selecting): Statement {
  return wrong(
    `${describePolicy(policy)} does not act. ${inactive}`,
    `mend ${describePolicy(policy)}: its Ready condition says how`,
  );
}

/** What holds whatever kernels hold: no keepalive helps what passes a proxy. */
function inItself({ policy }: Selecting): Statement[] {
  const findings = generalFindings(policy, { anyAgent: true, agentsMissing: undefined });
  return findings.map((one) => judged(one, describePolicy(policy)));
}

/** As its own status tells. */
function notInForce({ record, policy, inactive }: Selecting): Statement[] {
  if (inactive !== undefined) return [];
  const name = describePolicy(policy);
  const ready = record.status.conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined)
    return [unknown(`whether ${name} is in force: no controller has looked at it yet`)];
  if (ready.status === 'True') return [];
  return [
    wrong(
      `${name} is not in force: ${ready.reason}: ${ready.message}`,
      `see to ${name} first: ${ready.reason}`,
    ),
  ];
}
