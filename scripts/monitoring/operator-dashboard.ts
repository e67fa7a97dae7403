import { clusterLabel, once } from './once.ts';
import type { DashboardSpec, PanelSpec } from './panel.ts';

const rate = (metric: string) => `rate(${metric}[$__rate_interval])`;
/** Which part a process is: what Node tells of itself does not say. */
const part = `* on (${clusterLabel}, instance) group_left (component) max by (${clusterLabel}, instance, component) (keepalive_build_info)`;
const rates = (metric: string) => once(metric, rate);
const quantile = (metric: string) => `histogram_quantile(0.99, sum by (le) (${rates(`${metric}_bucket`)}))`;
const mean = (metric: string) => `sum(${rates(`${metric}_sum`)}) / sum(${rates(`${metric}_count`)})`;

const glance: readonly PanelSpec[] = [
  {
    ...{
      title: 'Replicas that act',
      form: 'number',
      about: 'One in each cluster, but for some seconds of a takeover.',
    },
    queries: [{ expr: `sum(${once('keepalive_leader')})`, legend: 'leaders' }],
  },
  {
    ...{
      title: 'Agents',
      form: 'number',
      about: 'Nodes that are to have an agent, and those whose agent reports.',
    },
    queries: [
      { expr: `sum(max by (${clusterLabel}) (keepalive_agents_wanted))`, legend: 'wanted' },
      { expr: `sum(max by (${clusterLabel}) (keepalive_agents_reporting))`, legend: 'reporting' },
    ],
  },
  {
    ...{
      title: 'Versions',
      form: 'number',
      about: 'How many processes of each component run which version.',
    },
    queries: [
      {
        expr: `count by (component, version) (${once('keepalive_build_info')})`,
        legend: '{{component}} {{version}}',
      },
    ],
  },
];

const controller: readonly PanelSpec[] = [
  {
    ...{
      title: 'Looks at policies',
      form: 'lines',
      unit: 'ops',
      about: 'By how they ended; failed ones are tried again.',
    },
    queries: [{ expr: `sum by (outcome) (${rates('keepalive_reconcile_total')})`, legend: '{{outcome}}' }],
  },
  {
    ...{ title: 'Time of a look', form: 'lines', unit: 's', about: 'Of 100 looks, 99 took less.' },
    queries: [{ expr: quantile('keepalive_reconcile_seconds'), legend: '99 %' }],
  },
  {
    ...{
      title: 'Policies that wait',
      form: 'lines',
      about: 'In the replica that acts; it falls to 0 soon after a change.',
    },
    queries: [
      {
        expr: `max(keepalive_queue_depth and on (${clusterLabel}, instance) keepalive_leader == 1)`,
        legend: 'waiting',
      },
    ],
  },
  {
    title: 'What the API server acts by',
    form: 'lines',
    unit: 'ops',
    about: 'Answers to the question of the controller; silent means that new pods start without the values.',
    queries: [
      { expr: `sum by (answer) (${rates('keepalive_admission_answers_total')})`, legend: '{{answer}}' },
    ],
  },
];

const agents: readonly PanelSpec[] = [
  {
    title: 'Changes in the kernel',
    form: 'lines',
    unit: 'ops',
    about:
      'Network namespaces whose values were changed, or put right, and sockets that were given keepalive.',
    queries: [
      { expr: `sum(${rates('keepalive_agent_writes_total')})`, legend: 'changed' },
      { expr: `sum(${rates('keepalive_agent_repairs_total')})`, legend: 'put right' },
      { expr: `sum(${rates('keepalive_agent_sockets_repaired_total')})`, legend: 'sockets' },
      { expr: `sum(${rates('keepalive_agent_socket_hangs_total')})`, legend: 'hangs' },
    ],
  },
  {
    ...{
      title: 'From a change to the kernel',
      form: 'lines',
      unit: 's',
      about: 'Mean time of a round, of a walk through processes, and of a look at sockets.',
    },
    queries: [
      { expr: mean('keepalive_agent_round_seconds'), legend: 'round' },
      { expr: mean('keepalive_agent_walk_seconds'), legend: 'walk' },
      { expr: mean('keepalive_agent_scan_seconds'), legend: 'sockets' },
    ],
  },
  {
    ...{
      title: 'Network namespaces',
      form: 'lines',
      about: 'That agents look after: all of them, and on the node with the most.',
    },
    queries: [
      { expr: `sum(${once('keepalive_agent_network_namespaces')})`, legend: 'all' },
      { expr: 'max(keepalive_agent_network_namespaces)', legend: 'most' },
    ],
  },
];

const server: readonly PanelSpec[] = [
  {
    ...{
      title: 'Requests of the controller',
      form: 'lines',
      unit: 'ops',
      about: 'By the HTTP status of the answer; 0: none came.',
    },
    queries: [{ expr: `sum by (code) (${rates('keepalive_api_requests_total')})`, legend: '{{code}}' }],
  },
  {
    ...{
      title: 'Requests of agents',
      form: 'lines',
      unit: 'ops',
      about: 'By what they are for and how they ended.',
    },
    queries: [
      {
        expr: `sum by (does, answer) (${rates('keepalive_agent_api_requests_total')})`,
        legend: '{{does}} {{answer}}',
      },
    ],
  },
  {
    ...{
      title: 'Since the API server was heard',
      form: 'lines',
      unit: 's',
      about: 'Up to about a minute is usual; after 660 s a process is no longer ready.',
    },
    queries: [
      { expr: 'max by (resource) (keepalive_reflector_last_contact_seconds)', legend: '{{resource}}' },
      { expr: 'max(keepalive_agent_last_contact_seconds)', legend: 'the quietest agent' },
    ],
  },
];

const cost: readonly PanelSpec[] = [
  {
    ...{ title: 'Memory', form: 'lines', unit: 'bytes', about: 'Of the largest process of each component.' },
    queries: [
      { expr: `max by (component) (process_resident_memory_bytes ${part})`, legend: '{{component}}' },
    ],
  },
  {
    ...{
      title: 'Processor',
      form: 'lines',
      about: 'Cores that the busiest process of each component takes.',
    },
    queries: [
      { expr: `max by (component) (${rate('process_cpu_seconds_total')} ${part})`, legend: '{{component}}' },
    ],
  },
  {
    ...{
      title: 'Objects in memory',
      form: 'lines',
      about: 'Of each resource, in the replica that holds most.',
    },
    queries: [{ expr: 'max by (resource) (keepalive_store_objects)', legend: '{{resource}}' }],
  },
];

/** Empty where policies change new pods, which most clusters have. */
export const webhookRow = 'Webhook (Kubernetes before 1.36)';

const webhook: readonly PanelSpec[] = [
  {
    ...{
      title: 'Answers',
      form: 'lines',
      unit: 'ops',
      about: 'What the API server was told about pods; all but changed let them pass as they are.',
    },
    queries: [
      { expr: `sum by (answer) (${rates('keepalive_webhook_reviews_total')})`, legend: '{{answer}}' },
    ],
  },
  {
    ...{ title: 'Time of an answer', form: 'lines', unit: 's', about: 'Of 100 answers, 99 took less.' },
    queries: [{ expr: quantile('keepalive_webhook_review_seconds'), legend: '99 %' }],
  },
  {
    ...{
      title: 'Certificate good for',
      form: 'lines',
      unit: 's',
      about: 'Of the replica whose certificate ends first.',
    },
    queries: [{ expr: 'min(keepalive_webhook_certificate_until_seconds) - time()', legend: 'left' }],
  },
];

export const operatorDashboard: DashboardSpec = {
  name: 'keepalive-operator',
  title: 'keepalive-operator: the operator',
  about: 'Whether the controller, the agents and admission do their work, and what they cost.',
  filters: {},
  rows: {
    'At a glance': glance,
    Controller: controller,
    Agents: agents,
    'API server': server,
    Cost: cost,
    [webhookRow]: webhook,
  },
};
