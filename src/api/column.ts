/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: 'integer' | 'string' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1: shown with `-o wide` only. */
  readonly priority?: 1;
}

const ready = '.status.conditions[?(@.type=="Ready")]';
export const policyColumns: readonly Column[] = [
  {
    name: 'Timeout',
    type: 'integer',
    jsonPath: '.status.effective.idleTimeoutSeconds',
    description: 'Shortest idle timeout of the path, in seconds.',
  },
  {
    name: 'Time',
    type: 'integer',
    jsonPath: '.status.effective.timeSeconds',
    description: 'tcp_keepalive_time, in seconds.',
  },
  {
    name: 'Interval',
    type: 'integer',
    jsonPath: '.status.effective.intervalSeconds',
    description: 'tcp_keepalive_intvl, in seconds.',
  },
  {
    name: 'Probes',
    type: 'integer',
    jsonPath: '.status.effective.probes',
    description: 'tcp_keepalive_probes.',
  },
  {
    name: 'Mode',
    type: 'string',
    jsonPath: '.spec.mode',
    description: 'Enforce, or Audit: nothing is changed.',
  },
  {
    name: 'Pods',
    type: 'string',
    jsonPath: '.status.pods.summary',
    description:
      'Of the selected pods, those whose kernel stays under the timeout; where no node agent reports, those whose spec does.',
  },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: `${ready}.status`,
    description: 'Whether the policy is in force.',
  },
  {
    name: 'Covered',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Covered")].status',
    description: 'Whether every selected pod, node and open connection was read and is covered.',
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since its creation.' },
  {
    name: 'Limited-By',
    type: 'string',
    jsonPath: '.status.effective.limitedBy',
    description: 'The hop that forgets first.',
    priority: 1,
  },
  {
    name: 'Exposed',
    type: 'integer',
    jsonPath: '.status.connections.exposed',
    description: 'Open connections that the shortest idle timeout would end.',
    priority: 1,
  },
  {
    name: 'Nodes',
    type: 'integer',
    jsonPath: '.status.nodes.reporting',
    description: 'Nodes whose agents report on it.',
    priority: 1,
  },
  {
    name: 'Message',
    type: 'string',
    jsonPath: `${ready}.message`,
    description: 'What the Ready condition says.',
    priority: 1,
  },
];

/** A cluster policy may be for nodes, with pods or without. */
export const clusterPolicyColumns: readonly Column[] = policyColumns.flatMap((column) =>
  column.name === 'Pods'
    ? [
        column,
        {
          name: 'Hosts',
          type: 'string',
          jsonPath: '.status.hosts.summary',
          description:
            'Of the nodes that spec.nodes selects, those whose own network stays under the timeout.',
        },
      ]
    : [column],
);

export const nodeColumns: readonly Column[] = [
  {
    name: 'Host-Time',
    type: 'integer',
    jsonPath: '.status.host.now.timeSeconds',
    description: "tcp_keepalive_time of the node's own network, in seconds.",
  },
  {
    name: 'Pods',
    type: 'string',
    jsonPath: '.status.pods.summary',
    description: 'Of the pods that policies select, those whose kernel stays under the timeouts.',
  },
  {
    name: 'Agent',
    type: 'string',
    jsonPath: '.status.agentVersion',
    description: 'Version of the agent that wrote this.',
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since its creation.' },
  {
    name: 'Host-Interval',
    type: 'integer',
    jsonPath: '.status.host.now.intervalSeconds',
    description: "tcp_keepalive_intvl of the node's own network, in seconds.",
    priority: 1,
  },
  {
    name: 'Host-Probes',
    type: 'integer',
    jsonPath: '.status.host.now.probes',
    description: "tcp_keepalive_probes of the node's own network.",
    priority: 1,
  },
  {
    name: 'Connections',
    type: 'string',
    jsonPath: '.status.connections.by',
    description: 'How the agent reaches open connections: BPF, Descriptors, or ValuesOnly where it does not.',
    priority: 1,
  },
];
