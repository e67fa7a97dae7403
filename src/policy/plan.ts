import type { Coverage, Verdict } from '../api/condition.ts';
import { conditionsOf } from '../api/condition.ts';
import type { SettingsReading } from '../api/settings.ts';
import type { PolicyStatus, Refusal } from '../api/status.ts';
import type { Assessment, Counted } from './assess.ts';
import { assess } from './assess.ts';
import type { BindingRecord, BindingStep } from './binding-step.ts';
import { bindingStep } from './binding-step.ts';
import { bounded } from './bounded.ts';
import type { Installation } from './installation.ts';
import { heldUp } from './installing.ts';
import { unreadable } from './obstacle.ts';
import type { Evidence } from './evidence.ts';
import type { Silence } from './finding.ts';
import type { AdmissionMode } from './mode.ts';
import type { NamespaceView } from './pod.ts';
import type { Edition } from './policy-digest.ts';
import { editionOf } from './policy-digest.ts';
import type { EffectivePolicy, Policy } from './policy.ts';
import type { PolicyRecord } from './record.ts';
import type { Refused } from './refusal.ts';
import { asRefused, refusalFault, refusalFindings } from './refusal-finding.ts';
import type { Counts, Progress } from './progress.ts';
import { progressOf, stays } from './progress.ts';
import type { NodeFacts } from './rollup.ts';
import { settingsFindings, withFindings } from './settings-finding.ts';
import type { WaitedFor } from './waited-for.ts';
import { waitedFor } from './waited-for.ts';
import { asHeard } from './unheard.ts';
import { asItMayAct, unreadIsWithheld, withheld } from './withheld.ts';
import { nextTrialMs, refusalsOf, withheldOf } from './withholding.ts';

/** All that one decision may depend on. */
export interface Circumstances {
  readonly record: PolicyRecord;
  /** Of what it selects; undefined where nobody may look at it, or its spec cannot be read. */
  readonly counted: Counted | undefined;
  readonly installation: Installation;
  readonly settings: SettingsReading;
  /** Its namespace has as many older ones as the settings allow. */
  readonly inExcess: boolean;
  readonly binding: BindingRecord | undefined;
  /** By what new pods are changed. */
  readonly mode: AdmissionMode;
  /** Namespaces whose new pods pass without anybody being asked about them. */
  readonly unaskedIn: readonly string[];
  /** Whether the admission policy that a binding would be of is there: beside a webhook it need not be. */
  readonly mayBind: boolean;
  readonly facts: NodeFacts;
  /** That something else refuses the values: the newest of each namespace, in the order in which they are to have a place. */
  readonly heard: readonly Refused[];
  /** Of those that had to leave the status for others: how long they have been tried. */
  readonly left: readonly Refusal[];
  namespaceOf(name: string): NamespaceView | undefined;
  /**
   * As the API server has it. For conditions to tell; nothing is decided by it but what a refused admission has to wait for, and
   * from when on pods must have been given the values, which is compared with when the API server made them.
   */
  readonly now: Date;
  /** How long ago this process began the activation under way, on a clock that never steps; undefined: it did not. */
  readonly activatingForMs: number | undefined;
  readonly evidence: Evidence;
  /** What the last look at the policy found; undefined: this is the first one of this process. */
  readonly waitedFor: WaitedFor | undefined;
  /** Resources that counts come from and of which nothing was heard for long, in order. */
  readonly unheard: readonly string[];
}

export interface Plan extends Progress {
  readonly binding: BindingStep;
  readonly coverage: Coverage;
  readonly status: PolicyStatus;
  /** Undefined where it may not act, or its spec cannot be read: nobody holds it then. */
  readonly waitedFor: WaitedFor | undefined;
}

/** Everything that has to be done for one policy. */
export function plan(circumstances: Circumstances): Plan {
  const { record, now } = circumstances;
  const claim = { ...circumstances, settings: circumstances.settings.settings };
  const why = withheld(claim);
  if (why?.kind === 'stalled') return idlePlan(circumstances, why);
  const policy = asItMayAct(claim, why);
  if (!isEffective(policy)) return heldPlan(circumstances, unreadIsWithheld(claim));
  const refusals = refusalsOf(policy, circumstances);
  const to = { kind: record.kind, anyAgent: circumstances.facts.anyAgent };
  const edition = editionOf(record, policy.effective);
  const {
    awaited,
    findings,
    findingsTotal,
    coverage: counted,
    ...counts
  } = withFindings(assessmentOf(policy, edition, { circumstances, refusals }), [
    ...settingsFindings(record, circumstances.settings),
    ...refusalFindings(refusals, to),
  ]);
  const coverage = asHeard(counted, circumstances.unheard);
  const facts = {
    effective: policy.effective,
    ...admissionOf(why !== undefined),
    ...refusedOf(refusals),
    ...known(counts),
    ...foundOf({ findings, findingsTotal }),
  };
  const held = heldUp(policy, circumstances);
  const fault = why ?? refusalFault(refusals, to);
  // What is only withheld keeps its binding: the status takes admission away, and gives it back, at once.
  const wanted = record.policy ?? policy;
  const mayBind = held === undefined && fault === why;
  const step = {
    ...{ binding: mayBind ? bindingOf(wanted, circumstances) : keep, coverage },
    waitedFor: waitedFor(edition, awaited, circumstances.waitedFor),
  };
  const made =
    held ?? (fault === undefined ? progressOf(circumstances, policy, { ...step, counts }) : stays(fault));
  const progress = {
    ...made,
    verdict: asRefused(made.verdict, refusals, to),
    againAfterMs: earliest(made.againAfterMs, nextTrialMs(refusals, now)),
  };
  return { ...step, ...progress, status: statusOf(record, { ...progress, coverage, facts, now }) };
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function assessmentOf(
  policy: EffectivePolicy,
  edition: Edition,
  {
    circumstances: { record, facts, counted, unaskedIn },
    refusals,
  }: { readonly circumstances: Circumstances; readonly refusals: readonly Refusal[] },
): Assessment {
  if (counted === undefined)
    throw new Error(`${record.kind} ${record.name} was looked at before it was counted`);
  return assess(policy, {
    ...{ edition, facts, counted },
    silentIn: new Map<string, Silence>([
      ...withheldOf(refusals).map(({ namespace }) => [namespace, 'Refused'] as const),
      ...unaskedIn.map((name) => [name, 'NotAsked'] as const),
    ]),
  });
}

const keep: BindingStep = { do: 'keep' };

/** Beside a webhook it is kept up as long as policies are installed as well, so that one may take over from the other. */
function bindingOf(wanted: Policy, { record, binding: present, mayBind }: Circumstances): BindingStep {
  if (mayBind) return bindingStep(record, wanted, present);
  return present === undefined ? keep : { do: 'delete', present };
}

/** Where the spec cannot be read: what it gave before is kept, binding and values, and no number that may be false. */
function heldPlan(circumstances: Circumstances, isWithheld: boolean): Plan {
  const { record } = circumstances;
  const { status } = record;
  const facts = {
    ...(status.effective === undefined ? {} : { effective: status.effective }),
    ...refusedOf(status.refusals),
    ...admissionOf(isWithheld),
  };
  const message = 'What the spec asks for is not known, so nobody can tell whether it is done';
  return restingPlan(circumstances, { verdict: unreadable(record, isWithheld), facts, message });
}

/** Where it may not act, nobody looks at what it selects. */
function idlePlan(circumstances: Circumstances, verdict: Verdict): Plan {
  const { policy, status } = circumstances.record;
  const { effective } = policy ?? status;
  const facts = { ...(effective === undefined ? {} : { effective }), ...admissionOf(true) };
  return restingPlan(circumstances, {
    verdict,
    facts,
    message: 'Nothing is done for it, and nobody looks at what it selects',
  });
}

interface Resting {
  readonly verdict: Verdict;
  readonly facts: Partial<PolicyStatus>;
  /** Of the condition Covered. */
  readonly message: string;
}

function restingPlan({ record, now }: Circumstances, { verdict, facts, message }: Resting): Plan {
  const progress = stays(verdict);
  const coverage: Coverage = { status: 'Unknown', reason: verdict.reason, message };
  return {
    ...{ binding: keep, coverage, waitedFor: undefined },
    ...progress,
    status: statusOf(record, { ...progress, coverage, facts, now }),
  };
}

/** What the CEL of admission reads; only said where it differs from what is always so. */
function admissionOf(isWithheld: boolean): Pick<PolicyStatus, 'admission'> {
  return isWithheld ? { admission: 'Withheld' } : {};
}

/** What is found here is added to what nodes say, which alone may be as much as the API keeps. */
function foundOf({ findings, findingsTotal }: Pick<Assessment, 'findings' | 'findingsTotal'>) {
  return findingsTotal === 0 ? {} : { findings: [...findings], findingsTotal: bounded(findingsTotal) };
}

function refusedOf(refusals: readonly Refusal[] = []): Pick<PolicyStatus, 'refusals'> {
  return refusals.length === 0 ? {} : { refusals: [...refusals] };
}

/** Without what is undefined, which is not the same as what is not there. */
function known(counts: Counts): Partial<PolicyStatus> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined));
}

/** The status where a step failed that the operator will try again. */
export function setback({ record, now }: Circumstances, planned: Plan, message: string): PolicyStatus {
  const { observedGeneration: _generation, conditions: _conditions, ...facts } = planned.status;
  const verdict: Verdict = { kind: 'reconciling', reason: 'BindingFailed', message };
  return statusOf(record, { verdict, coverage: planned.coverage, facts, now });
}

function isEffective(policy: Policy | undefined): policy is EffectivePolicy {
  return policy?.effective !== undefined;
}

interface Saying {
  readonly verdict: Verdict;
  readonly coverage: Coverage;
  readonly facts: Partial<PolicyStatus>;
  readonly now: Date;
}

function statusOf(record: PolicyRecord, { verdict, coverage, facts, now }: Saying): PolicyStatus {
  const { generation, status } = record;
  // Work on another generation, or begun anew, is a transition of its own.
  const previous = (status.conditions ?? []).filter(
    ({ type, observedGeneration, reason }) =>
      type !== 'Reconciling' || (observedGeneration === generation && reason === verdict.reason),
  );
  return {
    observedGeneration: generation,
    ...facts,
    conditions: conditionsOf(verdict, coverage, { generation, now, previous }),
  };
}
