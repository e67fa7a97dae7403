import { lastingReasons } from '../../src/policy/coverage.ts';
import { clusterLabel, once } from './once.ts';

/** What is worth waking somebody for, or telling him in the morning. */
export interface Alert {
  readonly name: string;
  readonly severity: 'critical' | 'warning';
  /** PromQL, of our metrics alone: no exporter besides has to be there. */
  readonly expr: string;
  /** For how long it has to hold, in minutes: for longer than it looks back, or what was over at once would be told all the same. */
  readonly minutes: number;
  /** One line for who is called; `{{ $labels… }}` is filled in by Prometheus. */
  readonly summary: string;
  /** What that means for users, and what to look at first. */
  readonly description: string;
}

/** Where the runbook has the section of an alert: headings there are the names. */
export const runbookOf = ({ name }: Pick<Alert, 'name'>) => `docs/runbook.md#${name.toLowerCase()}`;

/** The labels that tell policies apart; `namespace` is that of the pod that was scraped. */
const each = `${clusterLabel}, kind, policy_namespace, policy`;
/** Of a gauge that only the replica which acts has: in a takeover the old one is still there for some minutes. */
const newest = (gauge: string, label = '') => `max by (${each}) (keepalive_policy_${gauge}${label})`;
const holds = (type: string) => newest('condition', `{type="${type}"}`);
const enforced = `and on (${each}) ${newest('enforced')} == 1`;
// Not what is selected and not live: of that nobody may know anything yet, and Covered may be False for something else.
const uncovered = (what: 'pods' | 'hosts') => `${newest(`${what}_uncovered`)} > 0 ${enforced}`;

const newestAgents = (gauge: string) => `max by (${clusterLabel}) (keepalive_agents_${gauge})`;
/** More than so large a part of the nodes that are to have an agent. */
const missesAgents = (part: number) =>
  `${newestAgents('wanted')} - ${newestAgents('reporting')} > ${part} * ${newestAgents('wanted')}`;

/** `KeepalivePolicy db/behind-the-nat`; a cluster policy has no namespace. */
const named = '{{ $labels.kind }} {{ with $labels.policy_namespace }}{{ . }}/{{ end }}{{ $labels.policy }}';

/** Of policies: whoever owns one can do something about it. */
export const policyAlerts: readonly Alert[] = [
  {
    name: 'KeepalivePolicyStalled',
    severity: 'warning',
    expr: `${holds('Stalled')} == 1`,
    minutes: 5,
    summary: `${named} is not in force, and waits for a person.`,
    description:
      'The policy, or what is installed, has to be changed; the message of its condition Stalled says what.',
  },
  {
    name: 'KeepalivePoliciesInExcess',
    severity: 'warning',
    // What was told of such a policy before ends with it: an alert that is over by that is no good news.
    expr: `max by (${clusterLabel}) (keepalive_policies_in_excess) > 0`,
    minutes: 5,
    summary: '{{ $value }} policies are more than their namespaces may have.',
    description:
      'Nothing is done for them, and running pods got back what they had. Their condition Stalled says TooManyPolicies; no other metric tells of them.',
  },
  {
    name: 'KeepalivePolicyNotReady',
    severity: 'warning',
    expr: `${holds('Ready')} == 0 unless on (${each}) ${holds('Stalled')} == 1`,
    minutes: 10,
    summary: `${named} does not become Ready.`,
    description:
      'New pods, or running ones, may go without the values. The message of its condition Ready says what it waits for.',
  },
  {
    name: 'KeepalivePodsNotCovered',
    severity: 'warning',
    expr: uncovered('pods'),
    minutes: 30,
    summary: `${named}: {{ $value }} pods are not covered.`,
    description:
      'Idle connections of these pods may die in the path that the policy declares. status.findings names them, with what to do.',
  },
  {
    name: 'KeepaliveNodesNotCovered',
    severity: 'warning',
    expr: uncovered('hosts'),
    minutes: 30,
    summary: `${named}: {{ $value }} nodes are not covered.`,
    description:
      'Idle connections of these nodes themselves, and of pods with hostNetwork there, may die. status.findings names them, with what to do.',
  },
  {
    name: 'KeepaliveConnectionsExposed',
    severity: 'warning',
    expr: `${newest('connections_exposed')} > 0 ${enforced}`,
    minutes: 60,
    summary: `${named}: {{ $value }} open connections will not speak before the idle timeout.`,
    description:
      'Each dies at its first pause that is longer than the timeout. The finding ExposedConnections names programs and causes.',
  },
  {
    name: 'KeepaliveCoverageUnknown',
    severity: 'warning',
    // Of none by itself: one may take the place of another. And where connections are exposed for a moment, Covered is False for that moment.
    expr: `max by (${each}) (max_over_time(keepalive_policy_covered_unknown{reason=~"${lastingReasons.join('|')}"}[10m])) > 0 ${enforced}`,
    minutes: 60,
    summary: `${named}: nobody can tell whether what it selects is covered, and waiting does not end that.`,
    description:
      'What cannot be read may be unprotected. The label reason of keepalive_policy_covered_unknown says why, status.findings says what to do.',
  },
];

/** Of the operator itself: whoever runs the cluster can do something about it. */
export const operatorAlerts: readonly Alert[] = [
  {
    name: 'KeepaliveNoLeader',
    severity: 'critical',
    // Of a cluster that is not scraped any more nothing else tells: for a day it is known that it was. The last is for where none is.
    expr:
      `sum by (${clusterLabel}) (${once('keepalive_leader')}) != 1` +
      ` or (0 * max by (${clusterLabel}) (max_over_time(keepalive_leader[1d])) unless on (${clusterLabel}) keepalive_leader)` +
      ' or absent(keepalive_leader) - 1',
    minutes: 5,
    summary: '{{ $value }} replicas of the controller act, and it should be one.',
    description:
      'With none, no policy is taken up and statuses stand still; what is in force stays. It is 0 as well where none is scraped.',
  },
  {
    name: 'KeepaliveReconcileFailing',
    severity: 'warning',
    // What fails for good is tried every 5 minutes in the end: the window always holds two.
    expr: `sum by (${clusterLabel}, kind) (${once('keepalive_reconcile_total', (all) => `increase(${all}{outcome="failed"}[12m])`)}) >= 2`,
    minutes: 20,
    summary: 'Looks at objects of kind {{ $labels.kind }} fail again and again.',
    description:
      'Their bindings or statuses cannot be written, or what agents say of them cannot be read, so changes are not taken up. The log of the controller has the reason.',
  },
  {
    name: 'KeepaliveWatchSilent',
    severity: 'warning',
    // A quiet watch is opened anew each ten minutes at the latest; from here on a replica says itself that it is not ready.
    expr: `${once('keepalive_reflector_last_contact_seconds')} > 660`,
    minutes: 5,
    summary:
      'A replica of the controller ({{ $labels.instance }}) has heard nothing of {{ $labels.resource }} for {{ printf "%.0f" $value }} s.',
    description:
      'What it knows of them may be old: what is new is not taken up, and statuses say Covered Unknown (WatchSilent), or stand still.',
  },
  {
    name: 'KeepaliveAdmissionSilent',
    severity: 'critical',
    // The window counts as well: of half a minute's silence it must be over before it has held long enough.
    expr: `sum by (${clusterLabel}) (${once('keepalive_admission_answers_total', (all) => `increase(${all}{answer="silent"}[3m])`)}) > 0`,
    minutes: 5,
    summary: 'The API server lets new pods pass without the values.',
    description:
      'Pods start unprotected; on nodes with an agent they get the values a moment later. Policies say AdmissionInactive.',
  },
  {
    name: 'KeepaliveAgentsMissing',
    severity: 'warning',
    // Where nodes come and go all the time, some have always just come: of thousands one in a hundred, and of less than a hundred none for so long.
    expr: missesAgents(0.01),
    minutes: 15,
    summary: '{{ $value }} nodes have no agent of which the controller hears.',
    description:
      'Running pods and open connections there are not looked after, and statuses say what was known last; or agents are not in the namespace in which the controller looks for them.',
  },
  {
    name: 'KeepaliveFewAgentsMissing',
    severity: 'warning',
    // Few of many: which nodes they are cannot be told from how many. In six hours there is a moment in which all that came have their
    // agents, or all but one in a thousand where thousands come each day.
    expr: missesAgents(0.001),
    minutes: 360,
    summary:
      '{{ $value }} nodes have no agent of which the controller hears, and for six hours there have always been some.',
    description:
      'Some of them will not get one by themselves: see which stay. Running pods and open connections there are not looked after.',
  },
  {
    name: 'KeepaliveValuesFoughtOver',
    severity: 'warning',
    expr: `max by (${clusterLabel}, pod, instance) (increase(keepalive_agent_repairs_total[1h])) > 5`,
    minutes: 0,
    summary:
      'Something on the node of {{ $labels.instance }} sets values back, {{ printf "%.0f" $value }} times within the hour.',
    description:
      'Meanwhile they are looser than the path allows. The finding Overridden names the pod or node and the value.',
  },
  {
    name: 'KeepaliveWebhookCertificateOld',
    severity: 'warning',
    expr: `min by (${clusterLabel}, pod, instance) (keepalive_webhook_certificate_until_seconds) - time() < 21 * 86400`,
    minutes: 60,
    summary: 'The certificate of the webhook ends within three weeks, or there is none.',
    description:
      'It should have been followed by another one a month before its end. Without a good one the API server lets pods pass without the values.',
  },
];

export const alerts: readonly Alert[] = [...policyAlerts, ...operatorAlerts];
