import { readSettings } from '../../../src/api/settings.ts';
import type { PolicyStatus } from '../../../src/api/status.ts';
import type { ClusterBinding } from '../../../src/policy/admission.ts';
import { clusterBinding } from '../../../src/policy/admission.ts';
import type { BindingRecord } from '../../../src/policy/binding-step.ts';
import type { Circumstances, Plan } from '../../../src/policy/plan.ts';
import { plan } from '../../../src/policy/plan.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import type { EffectivePolicy, Policy } from '../../../src/policy/policy.ts';
import { noAgents } from '../../../src/policy/rollup.ts';
import { givenSince } from '../../../src/policy/withholding.ts';
import { countedOf, folded } from '../../support/assessed.ts';
import { namespace, platform, platformSpec, pod, sysctls } from '../../support/builder.ts';
import type { Neighbourhood } from '../../support/recount.ts';
import type { PlainFacts } from '../../support/recount-nodes.ts';

export const start = new Date('2026-05-04T10:00:00.700Z');
export const after = (ms: number, from = start) => new Date(from.getTime() + ms);

type ClusterSpec = Parameters<typeof platformSpec>[1];

export function record(seconds = 90, spec: ClusterSpec = {}, rest: Partial<PolicyRecord> = {}): PolicyRecord {
  return {
    kind: 'ClusterKeepalivePolicy',
    namespace: '',
    name: 'platform',
    uid: 'u1',
    generation: 1,
    policy: platform(seconds, spec),
    problems: undefined,
    status: {},
    ...rest,
  };
}

export const seen = { kind: 'seen', others: false } as const;

/** What is there, plainly, instead of what was counted of it. */
type Plain = Partial<Omit<Circumstances, 'counted' | 'facts'>> & {
  readonly neighbourhoods?: Iterable<Neighbourhood>;
  readonly others?: readonly Policy[];
  readonly facts?: PlainFacts;
};

const twoPods = [{ namespace: namespace(), pods: [pod({ sysctls: sysctls() }), pod({ name: 'web' })] }];

export function circumstances(of: PolicyRecord, plain: Plain = {}): Circumstances {
  const { neighbourhoods = twoPods, others = [], facts = noAgents, ...rest } = plain;
  const { policy } = of;
  const counted =
    policy?.effective === undefined
      ? undefined
      : countedOf(policy as EffectivePolicy, {
          ...{ neighbourhoods, others, facts, givenSince: givenSince(of) },
        });
  return {
    ...{ record: of, counted, facts: folded(facts) },
    installation: { missing: [], differing: [] },
    mode: 'policy',
    unaskedIn: [],
    mayBind: true,
    ...{ activatingForMs: undefined, waitedFor: undefined, unheard: [] },
    evidence: { kind: 'unknown', why: 'nobody asked' },
    settings: readSettings({}),
    inExcess: false,
    binding: undefined,
    heard: [],
    left: [],
    namespaceOf: namespace,
    now: start,
    ...rest,
  };
}

/** As the API server gives it back. */
function held({ metadata, spec }: ClusterBinding): BindingRecord {
  const { name, labels, ownerReferences } = metadata;
  return { name, uid: 'b1', resourceVersion: '7', labels, ownerReferences, spec };
}

export function boundTo(of: PolicyRecord): BindingRecord {
  const wanted = clusterBinding({ name: of.name, uid: of.uid, spec: platformSpec(90) });
  if (wanted === undefined) throw new Error('no binding is wanted');
  return held(wanted);
}

/** What a step leaves in the cluster. */
export function applied(
  { binding: step }: Plan,
  present: BindingRecord | undefined,
): BindingRecord | undefined {
  switch (step.do) {
    case 'keep':
      return present;
    case 'create':
    case 'replace':
      return held(step.binding);
    case 'delete':
      return undefined;
  }
}

/** Without Covered, which coverage.test.ts is about. */
export const conditionsOf = ({ conditions = [] }: PolicyStatus) =>
  conditions
    .filter(({ type }) => type !== 'Covered')
    .map(({ type, status, reason }) => `${type}=${status} ${reason}`);

export const activating = ['Ready=False Activating', 'Reconciling=True Activating'];
export const enforced = ['Ready=True Enforced'];

/** A policy that has been Ready for a while. */
export function settled(): Circumstances {
  const first = plan(circumstances(record()));
  const binding = applied(first, undefined);
  const then = plan(
    circumstances(record(90, {}, { status: first.status }), {
      ...{ binding, now: after(1000), activatingForMs: 1000, evidence: seen },
    }),
  );
  return circumstances(record(90, {}, { status: then.status }), {
    binding,
    now: after(60_000),
    evidence: seen,
  });
}
