import type { NodeKeepaliveStatus, NodePolicyReport } from '../api/node-keepalive.ts';
import type { Finding } from '../api/status.ts';
import { findingLimit } from '../api/status.ts';
import { kernelDefaults, tripleKeys } from '../api/triple.ts';
import { ownValuesChanged, skippedFinding, worstFirst } from './finding.ts';
import type { Place } from './place.ts';
import { HOST } from './place.ts';
import type { Reading } from './reading.ts';
import { valuesFor } from './requirement.ts';
import type { NodeSelections, PodSelection, Selecting, Selection } from './selection.ts';
import type { Standing } from './standing.ts';
import type { SocketReading } from './connection.ts';
import type { ConnectionReport, PeerAddresses } from './connection-report.ts';
import { connectionsOf } from './connection-report.ts';
import type { Discovery, TrackerView } from './tracker.ts';
import { shorterTrackers } from './tracker.ts';
import { countSkips } from './skip.ts';
import { overrideMessage, podFinding, standingOfHost, standingOfPod } from './standing.ts';

export interface NodeReportInput {
  readonly node: string;
  readonly agentVersion: string;
  readonly selections: NodeSelections;
  /** The latest of each place. */
  readonly readings: ReadonlyMap<Place, Reading>;
  /** Of the latest scan of sockets; undefined before the first. */
  readonly sockets: ReadonlyMap<Place, SocketReading> | undefined;
  readonly peers: PeerAddresses;
  /** Undefined before the node was looked through. */
  readonly discovery: Discovery | undefined;
}

/** What one node reports: the status of its NodeKeepalive. */
export function nodeReport(input: NodeReportInput): NodeKeepaliveStatus {
  const { node, agentVersion, selections, readings } = input;
  const host = readings.get(HOST);
  const judged = selections.pods
    .filter(({ pod, by }) => pod.live && by.length > 0)
    .map((selection) => judge(selection, readings));
  const policies = policiesOf(selections).map((policy) =>
    policyReport(policy, {
      ...{ node, host: hostOf(policy, selections.host, host), judged },
      connections: connectionsOf(policy, input),
      trackers: input.discovery?.trackers ?? [],
    }),
  );
  const live = judged.filter(({ standings }) =>
    [...standings.values()].every(({ is }) => is === 'live'),
  ).length;
  return {
    agentVersion,
    ...discovered(input.discovery),
    ...(host?.state === 'read' ? { host: hostReport(host, selections.host) } : {}),
    pods: { selected: judged.length, live, summary: `${live}/${judged.length}` },
    ...(policies.length === 0 ? {} : { policies }),
  };
}

function discovered(discovery: Discovery | undefined): Pick<NodeKeepaliveStatus, 'trackers' | 'kubeProxy'> {
  if (discovery === undefined) return {};
  const { trackers, kubeProxy } = discovery;
  return {
    ...(trackers.length === 0 ? {} : { trackers: [...trackers] }),
    ...(kubeProxy === undefined ? {} : { kubeProxy }),
  };
}

interface Judged {
  readonly selection: PodSelection;
  readonly reading: Reading | undefined;
  readonly standings: ReadonlyMap<Selecting['record'], Standing>;
}

function judge(selection: PodSelection, readings: ReadonlyMap<Place, Reading>): Judged {
  const { pod, by } = selection;
  const own = pod.hostNetwork ? undefined : readings.get(pod.place);
  const seen = { own, host: readings.get(HOST) };
  return {
    selection,
    reading: own,
    standings: new Map(by.map(({ record, policy }) => [record, standingOfPod(selection, policy, seen)])),
  };
}

function hostReport({ now, found, repaired }: Reading, { wanted }: Selection) {
  return {
    now,
    ...(wanted.asked === undefined ? {} : { wanted: valuesFor(wanted.asked) }),
    ...(Object.keys(found).length === 0 ? {} : { found }),
    ...(repaired === 0 ? {} : { repaired }),
  };
}

/** Every policy that selects something here, in the same order every time. */
function policiesOf({ pods, host }: NodeSelections): Selecting[] {
  const all = new Map<Selecting['record'], Selecting>();
  const living = pods.filter(({ pod }) => pod.live);
  for (const selecting of [...living.flatMap(({ by }) => by), ...host.by])
    all.set(selecting.record, selecting);
  const sortKey = ({ record }: Selecting) => `${record.kind} ${record.namespace}/${record.name}`;
  return [...all.values()].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

interface HostStanding {
  readonly standing: Standing;
  readonly reading: Reading | undefined;
}

function hostOf({ record, policy }: Selecting, selection: Selection, reading: Reading | undefined) {
  const isSelected = selection.by.some((one) => one.record === record);
  return isSelected ? { standing: standingOfHost(reading, policy), reading } : undefined;
}

interface PolicyFacts {
  readonly node: string;
  readonly host: HostStanding | undefined;
  readonly judged: readonly Judged[];
  readonly connections: ConnectionReport | undefined;
  readonly trackers: readonly TrackerView[];
}

function policyReport(
  { record, policy }: Selecting,
  { node, host, judged, connections, trackers }: PolicyFacts,
): NodePolicyReport {
  const own = judged.flatMap(({ selection, reading, standings }) => {
    const standing = standings.get(record);
    return standing === undefined ? [] : [{ pod: selection.pod, reading, standing }];
  });
  const skippedBy = countSkips(
    own.flatMap(({ standing }) => (standing.is === 'skipped' ? [standing.skip.reason] : [])),
  );
  const pending = own.filter(({ standing }) => standing.is === 'pending').length;
  const repaired = own.reduce((sum, { reading }) => sum + (reading?.repaired ?? 0), 0);
  const findings = [
    ...shorterTrackers(policy, trackers, node),
    ...hostFindings(host, node),
    ...[...own.flatMap((one) => podFindings(one, { record, policy })), ...(connections?.findings ?? [])].sort(
      worstFirst,
    ),
  ];
  return {
    kind: record.kind,
    ...(record.namespace === '' ? {} : { namespace: record.namespace }),
    ...{ name: record.name, observedGeneration: record.generation },
    ...{ selected: own.length, live: own.filter(({ standing }) => standing.is === 'live').length },
    ...(pending === 0 ? {} : { pending }),
    ...(skippedBy.length === 0 ? {} : { skippedBy }),
    ...(repaired === 0 ? {} : { repaired }),
    ...(host === undefined ? {} : { host: host.standing.is === 'live' ? 'Live' : 'NotLive' }),
    ...connectionTotals(connections),
    ...(findings.length === 0
      ? {}
      : { findings: findings.slice(0, findingLimit), findingsTotal: findings.length }),
  };
}

function connectionTotals(connections: ConnectionReport | undefined): Pick<NodePolicyReport, 'connections'> {
  return connections?.totals === undefined ? {} : { connections: connections.totals };
}

function hostFindings(host: HostStanding | undefined, node: string): Finding[] {
  if (host === undefined) return [];
  const { standing, reading } = host;
  if (standing.is === 'exposed') return [{ reason: standing.reason, node, message: standing.message }];
  return [
    ...(reading?.override
      ? [{ reason: 'Overridden', node, message: overrideMessage(reading.override) }]
      : []),
    ...ownValuesOf(reading).map((changed) => ({ ...changed, node })),
  ];
}

/** What is held instead of values that somebody had set: those that every network starts with are nobody's. */
function ownValuesOf(reading: Reading | undefined, said?: string): Pick<Finding, 'reason' | 'message'>[] {
  const { found = {}, now = {} } = reading ?? {};
  const isSet = tripleKeys.some((key) => found[key] !== undefined && found[key] !== kernelDefaults[key]);
  const text = tripleKeys.map((key) => found[key] ?? '-').join('/');
  const from = isSet ? text : said;
  return from === undefined ? [] : [ownValuesChanged(from, now)];
}

interface PodStanding {
  readonly pod: PodSelection['pod'];
  readonly reading: Reading | undefined;
  readonly standing: Standing;
}

function podFindings({ pod, reading, standing }: PodStanding, { policy }: Selecting): Finding[] {
  if (standing.is === 'exposed') return [podFinding(pod, policy, standing)];
  if (standing.is === 'skipped') return [skippedFinding(pod, standing.skip, policy)];
  if (standing.is === 'pending') return [];
  return [
    ...(reading?.override ? [{ reason: 'Overridden', message: overrideMessage(reading.override) }] : []),
    ...ownValuesOf(reading, pod.changedFrom),
  ].map((finding) => podFinding(pod, policy, finding));
}
