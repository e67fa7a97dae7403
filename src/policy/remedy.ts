/** What several messages tell a person to do, in the same words. */

/** Where it says how to install what runs once more, whichever way it came. */
export const installPage = 'docs/runbook.md#install-it-again';

/** What gives values to running pods and nodes, where it is not there. */
export const agents = 'the DaemonSet of deploy/agent.yaml (with the chart: agent.enabled=true)';

/** For whoever cannot run before a kind of ours is there. */
export function kindMissing(kind: string): string {
  return `the CustomResourceDefinition of ${kind} is not installed: helm upgrade, or without Helm kubectl apply -k crds/ (${installPage})`;
}
