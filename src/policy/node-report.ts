import type { NodeKeepaliveStatus } from '../api/node-keepalive.ts';
import type { ConnectionMeans } from './connection-means.ts';
import type { SocketReading } from './connection.ts';
import type { PeerAddresses } from './connection-report.ts';
import { connectionsOf } from './connection-report.ts';
import type { Place } from './place.ts';
import { HOST } from './place.ts';
import type { PodStanding, PolicyFacts } from './policy-report.ts';
import { policyFindings, policyTotals } from './policy-report.ts';
import type { Reading } from './reading.ts';
import { sandboxedIn } from './reading.ts';
import type { Reach } from './reach.ts';
import { reachesOf } from './reach.ts';
import type { PolicyDraft } from './report-budget.ts';
import { fitted, reportBytes, sizeOf } from './report-budget.ts';
import { valuesFor } from './requirement.ts';
import type { NodeSelections, PodSelection, Selecting, Selection } from './selection.ts';
import { standingOfHost, standingOfPod } from './standing.ts';
import type { Discovery } from './tracker.ts';

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
  readonly means?: ConnectionMeans | undefined;
}

/** What one node reports: the status of its NodeKeepalive. Never of more bytes than `limit`. */
export function nodeReport(input: NodeReportInput, limit = reportBytes): NodeKeepaliveStatus {
  const { node, agentVersion, selections, readings, discovery } = input;
  const host = readings.get(HOST);
  const sandboxed = sandboxedIn(readings);
  const factsOf = (reach: Reach): PolicyFacts => ({
    ...{ node, pods: reach.pods.map((pod) => judge(pod, reach.selecting, readings)) },
    connections: connectionsOf(reach, { ...input, sandboxed }),
    host: reach.selectsHost
      ? { standing: standingOfHost(host, reach.selecting.policy), reading: host }
      : undefined,
    trackers: discovery?.trackers ?? [],
  });
  const drafts = reachesOf(selections).map((reach): PolicyDraft => ({
    record: reach.selecting.record,
    totals: () => policyTotals(reach.selecting, factsOf(reach)),
    // Gathered again, by those who get so far: the facts of all at once would take hundreds of MiB of a node of 250 pods.
    findings: () => policyFindings(reach.selecting, factsOf(reach)),
  }));
  const selected = selections.pods.filter(({ pod, by }) => pod.live && by.length > 0);
  const live = selected.filter((selection) =>
    selection.by.every((selecting) => judge(selection, selecting, readings).standing.is === 'live'),
  ).length;
  const status = {
    agentVersion,
    ...discovered(discovery),
    ...(input.means === undefined ? {} : { connections: reached(input.means) }),
    ...(host?.state === 'read' ? { host: hostReport(host, selections.host) } : {}),
    pods: { selected: selected.length, live, summary: `${live}/${selected.length}` },
  };
  return { ...status, ...fitted(drafts, limit - sizeOf(status)) };
}

function discovered(discovery: Discovery | undefined): Pick<NodeKeepaliveStatus, 'trackers' | 'kubeProxy'> {
  if (discovery === undefined) return {};
  const { trackers, kubeProxy } = discovery;
  return {
    ...(trackers.length === 0 ? {} : { trackers: [...trackers] }),
    ...(kubeProxy === undefined ? {} : { kubeProxy }),
  };
}

const longestReason = 200;

function reached({ by, countedBy, why }: ConnectionMeans): NodeKeepaliveStatus['connections'] {
  return { by, countedBy, ...(why === undefined ? {} : { why: why.slice(0, longestReason) }) };
}

/** How what a policy selects stands to it. */
function judge(
  selection: PodSelection,
  { policy }: Selecting,
  readings: ReadonlyMap<Place, Reading>,
): PodStanding {
  const { pod } = selection;
  const own = pod.hostNetwork ? undefined : readings.get(pod.place);
  const standing = standingOfPod(selection, policy, { own, host: readings.get(HOST) });
  return { pod, reading: own, standing };
}

function hostReport({ now, found, repaired }: Reading, { wanted }: Selection) {
  return {
    now,
    ...(wanted.asked === undefined ? {} : { wanted: valuesFor(wanted.asked) }),
    ...(Object.keys(found).length === 0 ? {} : { found }),
    ...(repaired === 0 ? {} : { repaired }),
  };
}
