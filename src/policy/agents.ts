import type { Finding } from '../api/status.ts';
import type { Placement } from './placement.ts';

/** What the DaemonSet of the agents says of itself. */
export interface DaemonSetView {
  readonly namespace: string;
  readonly name: string;
  /** Told to go: no agent follows the ones that are there. */
  readonly isEnding: boolean;
  readonly placement: Placement;
  /** Nodes that it wants a pod on, and nodes that it has made one for. */
  readonly wanted: number;
  readonly made: number;
}

/** All that tells whether there should be agents. */
export interface AgentsView {
  /** Where the controller believes a pod to be an agent. */
  readonly namespace: string;
  /** Whether there is a pod of an agent, ready or not. */
  readonly anyAgent: boolean;
  readonly daemonSets: readonly DaemonSetView[];
  /** What the API server last said to a pod that the DaemonSet wanted to make. */
  readonly refusal: string | undefined;
  /** Nodes that have a NodeKeepalive. */
  readonly reports: number;
}

/** Why there is no agent although some are meant to be; undefined where there are some, or none is meant. */
export function agentsMissing(view: AgentsView): Finding | undefined {
  if (view.anyAgent) return undefined;
  const unserved = view.daemonSets.find(({ isEnding, wanted }) => !isEnding && wanted > 0);
  if (unserved !== undefined) return notMade(unserved, view.refusal);
  return view.daemonSets.length === 0 && view.reports > 0 ? elsewhere(view) : undefined;
}

const judgedBySpecs = 'running pods are judged by their specs, and nodes keep their values';

function notMade({ namespace, name, wanted }: DaemonSetView, refusal: string | undefined): Finding {
  const why =
    refusal === undefined
      ? `see kubectl -n ${namespace} describe daemonset ${name}`
      : `the API server says: ${refusal.slice(0, 400)}`;
  return {
    reason: 'AgentsMissing',
    message: `the DaemonSet ${name} wants a pod on ${wanted} nodes and has none, so ${judgedBySpecs}: ${why}`,
  };
}

/** Only agents write a NodeKeepalive; nothing that a pod says of itself is believed. */
function elsewhere({ namespace, reports }: AgentsView): Finding {
  const nodes = reports === 1 ? 'one node has' : `${reports} nodes have`;
  return {
    reason: 'AgentsElsewhere',
    message:
      `${nodes} a NodeKeepalive, and no agent runs in namespace ${namespace}, so ${judgedBySpecs}: where agents run ` +
      'in another namespace, name it in AGENT_NAMESPACE of the controller; where none runs, kubectl delete nka --all',
  };
}
