import { kinds, policyKinds } from '../../src/api/crd.ts';
import { GROUP, VERSION } from '../../src/api/group.ts';

/** Where a value stands in an object. */
type Path = readonly string[];

interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly path: Path;
  /** Below `path`, where that is a list. */
  readonly valueFrom?: Path;
  readonly labels?: Readonly<Record<string, Path>>;
  readonly nilIsZero?: true;
}

const ofPolicies: readonly Gauge[] = [
  {
    name: 'policy_condition',
    help: '1 where a condition of a policy is True, 0 where it is False or Unknown.',
    path: ['status', 'conditions'],
    valueFrom: ['status'],
    labels: { type: ['type'], reason: ['reason'] },
  },
  {
    name: 'policy_idle_timeout_seconds',
    help: 'The shortest idle timeout of the path.',
    path: ['status', 'effective', 'idleTimeoutSeconds'],
  },
  {
    name: 'policy_findings',
    help: 'How many findings there are.',
    path: ['status', 'findingsTotal'],
    // A status without findings does not say how many.
    nilIsZero: true,
  },
];

const ofNodes: readonly Gauge[] = [
  {
    name: 'node_time_seconds',
    help: 'tcp_keepalive_time of the network of the node itself.',
    path: ['status', 'host', 'now', 'timeSeconds'],
  },
  {
    name: 'node_pods_selected',
    help: 'Pods of the node that policies select.',
    path: ['status', 'pods', 'selected'],
  },
  {
    name: 'node_pods_live',
    help: 'Of these, pods whose kernel stays under the timeouts.',
    path: ['status', 'pods', 'live'],
  },
];

/** What the controller does not tell itself: reasons, timeouts, and nodes one by one. */
export function kubeStateMetrics() {
  return {
    kind: 'CustomResourceStateMetrics',
    spec: {
      resources: [
        ...Object.values(policyKinds).map(({ kind }) => resourceOf(kind, ofPolicies)),
        resourceOf(kinds.NodeKeepalive.kind, ofNodes),
      ],
    },
  };
}

function resourceOf(kind: string, gauges: readonly Gauge[]) {
  return {
    groupVersionKind: { group: GROUP, version: VERSION, kind },
    metricNamePrefix: 'kube_keepalive',
    labelsFromPath: {
      name: ['metadata', 'name'],
      ...(kind === 'KeepalivePolicy' ? { exported_namespace: ['metadata', 'namespace'] } : {}),
    },
    metrics: gauges.map(({ name, help, path, valueFrom, labels, nilIsZero }) => ({
      ...{ name, help },
      each: {
        type: 'Gauge',
        gauge: {
          path,
          ...(valueFrom === undefined ? {} : { valueFrom }),
          ...(labels === undefined ? {} : { labelsFromPath: labels }),
          ...(nilIsZero === undefined ? {} : { nilIsZero }),
        },
      },
    })),
  };
}
