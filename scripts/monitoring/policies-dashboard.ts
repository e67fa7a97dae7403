import { clusterLabel } from './once.ts';
import type { DashboardSpec, PanelSpec } from './panel.ts';

const each = `${clusterLabel}, kind, policy_namespace, policy`;
const chosen = 'policy_namespace=~"$namespace", policy=~"$policy"';
/** Only the replica that acts tells of policies; in a takeover two may have them for a moment. */
const of = (gauge: string) => `max by (${each}) (keepalive_policy_${gauge}{${chosen}})`;
const condition = (type: string, value: 0 | 1) =>
  `count(max by (${each}) (keepalive_policy_condition{${chosen}, type="${type}"}) == ${value}) or vector(0)`;
const name = '{{kind}} {{policy_namespace}} {{policy}}';

const glance: readonly PanelSpec[] = [
  {
    ...{ title: 'Policies', form: 'number', about: 'All that were looked at.' },
    queries: [{ expr: `count(${of('enforced')})`, legend: 'policies' }],
  },
  {
    ...{
      title: 'In force',
      form: 'number',
      about: 'By their condition Ready, and how many wait for a person (Stalled).',
    },
    queries: [
      { expr: condition('Ready', 1), legend: 'ready' },
      { expr: condition('Ready', 0), legend: 'not ready' },
      { expr: condition('Stalled', 1), legend: 'stalled' },
    ],
  },
  {
    ...{
      title: 'Covered',
      form: 'number',
      about: 'By their condition Covered; those of which nobody knows are in neither.',
    },
    queries: [
      { expr: condition('Covered', 1), legend: 'covered' },
      { expr: condition('Covered', 0), legend: 'not covered' },
    ],
  },
];

const covered: readonly PanelSpec[] = [
  {
    ...{
      title: 'Pods',
      form: 'lines',
      about:
        'That policies select, and those whose kernel holds values that are enough. A pod of several policies counts in each.',
    },
    queries: [
      { expr: `sum(${of('pods_selected')})`, legend: 'selected' },
      { expr: `sum(${of('pods_live')})`, legend: 'live' },
    ],
  },
  {
    ...{
      title: 'Pods that are not covered',
      form: 'lines',
      about: 'By policy: those that were read. What has not started is not among them.',
    },
    queries: [{ expr: of('pods_uncovered'), legend: name }],
  },
  {
    ...{
      title: 'Open connections',
      form: 'lines',
      about: 'Of what policies select, and those that will not speak before the idle timeout.',
    },
    queries: [
      { expr: `sum(${of('connections_established')})`, legend: 'established' },
      { expr: `sum(${of('connections_exposed')})`, legend: 'exposed' },
    ],
  },
  {
    ...{ title: 'Exposed connections', form: 'lines', about: 'By policy.' },
    queries: [{ expr: of('connections_exposed'), legend: name }],
  },
  {
    ...{
      title: 'Nodes',
      form: 'lines',
      about:
        'That policies are for, and those whose own network holds values that are enough. Empty where no policy is for nodes.',
    },
    queries: [
      { expr: `sum(${of('hosts_selected')})`, legend: 'selected' },
      { expr: `sum(${of('hosts_live')})`, legend: 'live' },
    ],
  },
];

const list: readonly PanelSpec[] = [
  {
    ...{ title: 'Conditions', form: 'table', about: '1: True, 0: False; what is Unknown is not there.' },
    queries: [
      { expr: `max by (${each}, type) (keepalive_policy_condition{${chosen}})`, legend: `${name} {{type}}` },
    ],
  },
  {
    ...{
      title: 'Enforced',
      form: 'table',
      about: '0: it only looks, by its mode or by the switch of the cluster.',
    },
    queries: [{ expr: of('enforced'), legend: name }],
  },
];

export const policiesDashboard: DashboardSpec = {
  name: 'keepalive-policies',
  title: 'keepalive-operator: policies',
  about: 'Which policies are in force, and what they select that is not covered.',
  filters: { namespace: 'policy_namespace', policy: 'policy' },
  rows: { 'At a glance': glance, 'What is covered': covered, 'Policy by policy': list },
};
