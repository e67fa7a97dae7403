import { defaultSettings, settingNames, SETTINGS_NAME } from '../api/settings.ts';
import type { KubeObject } from '../kube/resource.ts';
import { someOf } from '../policy/finding.ts';
import { actsOnPods } from '../policy/obstacle.ts';
import type { NamespaceView } from '../policy/pod.ts';
import type { Policy } from '../policy/policy.ts';
import { selectsNamespace } from '../policy/policy.ts';
import type { PolicyRecord } from '../policy/record.ts';
import { enforceLabel, enforceVersionLabel, isPinned, restrictingLevels } from '../policy/skip.ts';
import { thoseThatMayAct } from '../policy/withheld.ts';
import { withheldOf } from '../policy/withholding.ts';
import { daemonSetRecord } from '../policy/daemonset.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import type { Statement } from './explanation.ts';
import { fine, note, unknown, wrong } from './explanation.ts';

export function podSecurity(facts: DoctorFacts): Statement[] {
  const { namespaces } = facts;
  if (!namespaces.known) return [unknown(`which Pod Security namespaces enforce: ${namespaces.why}`)];
  const found = [...ofAgents(facts, namespaces.value), ...ofPods(facts, namespaces.value)];
  return found.length > 0 ? found : [fine('no namespace enforces a Pod Security that refuses the values')];
}

/** Agents need what only the level privileged allows. */
function ofAgents({ daemonSets }: DoctorFacts, namespaces: readonly KubeObject[]): Statement[] {
  const restricting = namespaces.filter(({ metadata }) =>
    (restrictingLevels as readonly string[]).includes(metadata.labels?.[enforceLabel] ?? ''),
  );
  if (restricting.length === 0) return [];
  if (!daemonSets.known) return [unknown(`whether Pod Security refuses the agents: ${daemonSets.why}`)];
  const agents = daemonSets.value.map(daemonSetRecord).filter(({ isOfAgents }) => isOfAgents);
  const homes = new Set(agents.map(({ namespace }) => namespace));
  return restricting
    .filter(({ metadata }) => homes.has(metadata.name))
    .map(({ metadata: { name, labels } }) =>
      wrong(
        `namespace ${name} enforces Pod Security ${labels?.[enforceLabel]}, which refuses the agents`,
        `kubectl label namespace ${name} ${enforceLabel}=privileged --overwrite`,
      ),
    );
}

/** Of before v1.29 it refuses the sysctls, so admission leaves pods there as they are. */
function ofPods(facts: DoctorFacts, namespaces: readonly KubeObject[]): Statement[] {
  const { policies } = facts;
  const all = namespaces.map(({ metadata }) => ({ name: metadata.name, labels: metadata.labels ?? {} }));
  const refusing = all.filter(isPinned);
  if (refusing.length === 0) return [];
  if (!policies.known) {
    const where = someOf(refusing.map(({ name }) => name));
    return [
      unknown(
        `whether policies select pods in ${where}, where Pod Security forbids the sysctls: ${policies.why}`,
      ),
    ];
  }
  const { acting, auditing } = selectingIn(refusing, policies.value, facts);
  return [
    ...(acting.length === 0
      ? []
      : [
          wrong(
            `policies select pods in ${someOf(acting)}, where ${forbidden}: new pods there start without the values`,
            `raise the label ${enforceVersionLabel} there, to latest or v1.29`,
          ),
        ]),
    ...(auditing.length === 0
      ? []
      : [
          note(
            `policies that change nothing at present select pods in ${someOf(auditing)}, where ${forbidden}: ` +
              `enforced, new pods there would start without the values: raise the label ${enforceVersionLabel} there first`,
          ),
        ]),
  ];
}

const forbidden = 'Pod Security as of before v1.29 forbids the sysctls';

/** Namespaces whose new pods some policy changes, and others whose pods it would. */
function selectingIn(
  namespaces: readonly NamespaceView[],
  records: readonly PolicyRecord[],
  { settings: read }: DoctorFacts,
): Record<'acting' | 'auditing', string[]> {
  const allowed = thoseThatMayAct(records, read.known ? read.value.settings : defaultSettings);
  const policies = allowed.map(({ policy }) => policy).filter(({ spec }) => spec.podSelector !== undefined);
  const isSelectedBy = (some: readonly Policy[]) => (namespace: NamespaceView) =>
    some.some((policy) => selectsNamespace(policy, namespace));
  const acting = namespaces.filter(isSelectedBy(policies.filter(actsOnPods)));
  const auditing = namespaces.filter((one) => !acting.includes(one)).filter(isSelectedBy(policies));
  return { acting: acting.map(({ name }) => name), auditing: auditing.map(({ name }) => name) };
}

/** What the operator itself has met: somebody refuses pods with the values. */
export function refusals({ policies }: DoctorFacts): Statement[] {
  if (!policies.known) return [unknown(`whether anything refuses pods with the values: ${policies.why}`)];
  const all = policies.value.flatMap(({ status }) => withheldOf(status.refusals ?? []));
  return [...Map.groupBy(all, ({ by }) => by)].map(([by, group]) => {
    const places = someOf([...new Set(group.map(({ namespace }) => namespace))].sort());
    return wrong(
      `${by} refuses pods with the values in ${places} ("${group[0]?.message}"), so new pods there start without them`,
      'have it allow the three sysctls net.ipv4.tcp_keepalive_*',
    );
  });
}

/** The rule restrict-sysctls of its Pod Security policies, and whatever else speaks of sysctls and not of ours. */
export function kyverno({ kyvernoPolicies }: DoctorFacts): Statement[] {
  if (!kyvernoPolicies.known)
    return [unknown(`whether a rule of Kyverno refuses the values: ${kyvernoPolicies.why}`)];
  return kyvernoPolicies.value.filter(refusesOurs).map(({ kind, metadata, spec }) => {
    const name = `policy ${metadata.name} of Kyverno${kind === undefined ? '' : ` (${kind})`}`;
    const words = `${name} allows a list of sysctls that lacks net.ipv4.tcp_keepalive_*`;
    const fix = `add net.ipv4.tcp_keepalive_time, net.ipv4.tcp_keepalive_intvl and net.ipv4.tcp_keepalive_probes to its list`;
    return enforces(spec)
      ? wrong(`${words}, and refuses pods with the values`, fix)
      : note(`${words}, and only reports it`);
  });
}

function refusesOurs({ spec }: KubeObject): boolean {
  const text = JSON.stringify(spec ?? {});
  return text.includes('sysctls') && !/tcp_keepalive_|net\.ipv4\.\*|"\*"/.test(withoutMatches(text));
}

/** A rule that is for all kinds says so with a star, too. */
function withoutMatches(text: string): string {
  return text.replaceAll(
    /"(?:apiGroups|apiVersions|kinds|operations|resources|names|namespaces)":\[[^\]]*\]/g,
    '',
  );
}

interface KyvernoSpec {
  readonly validationFailureAction?: string;
  readonly validationActions?: readonly string[];
  readonly rules?: readonly { readonly validate?: { readonly failureAction?: string } }[];
}

function enforces(spec: unknown): boolean {
  const { validationFailureAction = '', validationActions, rules } = (spec ?? {}) as KyvernoSpec;
  // A ValidatingPolicy without actions denies.
  if (rules === undefined) return validationActions?.includes('Deny') ?? true;
  const actions = rules.map(({ validate }) => validate?.failureAction ?? validationFailureAction);
  return actions.some((action) => action.toLowerCase() === 'enforce');
}

export function settings({ settings: read }: DoctorFacts): Statement[] {
  if (!read.known) return [unknown(`what the settings of the cluster say: ${read.why}`)];
  const { problems, settings: holding } = read.value;
  return [
    ...problems.map((problem) =>
      wrong(
        `ConfigMap ${SETTINGS_NAME}: ${problem}`,
        `correct it: it knows ${settingNames.join(', ')} (docs/install.md#settings-of-the-cluster)`,
      ),
    ),
    ...(holding.acting === 'Enforce'
      ? []
      : [note(`the product is switched to ${holding.acting}: nothing is changed for any policy`)]),
    ...(problems.length === 0 ? [fine('the settings of the cluster can be read')] : []),
  ];
}
