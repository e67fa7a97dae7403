import type { RuleCase } from './rule-case.ts';

const labels = { kind: 'KeepalivePolicy', policy_namespace: 'db', policy: 'nat' };
const of = (replica: string) =>
  `kind="KeepalivePolicy",policy_namespace="db",policy="nat",instance="${replica}"`;
const gauge = (name: string, replica = 'a') => `keepalive_policy_${name}{${of(replica)}}`;
const condition = (type: string, replica = 'a') =>
  `keepalive_policy_condition{${of(replica)},type="${type}"}`;
const unknown = (reason: string) => `keepalive_policy_covered_unknown{${of('a')},reason="${reason}"}`;
const named = 'KeepalivePolicy db/nat';
const cluster = 'kind="ClusterKeepalivePolicy",policy="platform"';

export const policyCases: readonly RuleCase[] = [
  {
    ...{ alert: 'KeepalivePolicyStalled', when: 'after 5 minutes', at: 5 },
    series: { [condition('Stalled')]: '1x10' },
    fires: { labels, summary: `${named} is not in force, and waits for a person.` },
  },
  {
    ...{ alert: 'KeepalivePolicyStalled', when: 'of a cluster policy, which has no namespace', at: 6 },
    series: { [`keepalive_policy_condition{${cluster},type="Stalled"}`]: '1x10' },
    fires: {
      labels: { kind: 'ClusterKeepalivePolicy', policy: 'platform' },
      summary: 'ClusterKeepalivePolicy platform is not in force, and waits for a person.',
    },
  },
  {
    ...{ alert: 'KeepalivePolicyStalled', when: 'before', at: 4 },
    series: { [condition('Stalled')]: '1x10' },
  },
  {
    ...{ alert: 'KeepalivePolicyStalled', when: 'where a policy is ready', at: 10 },
    series: { [condition('Ready')]: '1x10' },
  },
  {
    ...{ alert: 'KeepalivePoliciesInExcess', when: 'after 5 minutes, whichever replica is asked', at: 6 },
    series: {
      'keepalive_policies_in_excess{instance="a"}': '0 3x10',
      'keepalive_policies_in_excess{instance="b"}': '0 3x10',
    },
    fires: { labels: {}, summary: '3 policies are more than their namespaces may have.' },
  },
  {
    ...{
      alert: 'KeepalivePoliciesInExcess',
      when: 'where each namespace has as many as it may have',
      at: 10,
    },
    series: { 'keepalive_policies_in_excess{instance="a"}': '0x20' },
  },
  {
    ...{
      alert: 'KeepalivePolicyNotReady',
      when: 'after 10 minutes, though the replica that acts changed',
      at: 12,
    },
    series: { [condition('Ready', 'a')]: '0x6 _x6', [condition('Ready', 'b')]: '_x5 0x10' },
    fires: { labels, summary: `${named} does not become Ready.` },
  },
  {
    ...{ alert: 'KeepalivePolicyNotReady', when: 'where it became ready in between', at: 12 },
    series: { [condition('Ready')]: '0x5 1 0x8' },
  },
  {
    ...{
      alert: 'KeepalivePolicyNotReady',
      when: 'where it waits for a person, which has an alert of its own',
      at: 12,
    },
    series: { [condition('Ready')]: '0x15', [condition('Stalled')]: '1x15' },
  },
  {
    ...{
      alert: 'KeepalivePolicyNotReady',
      when: 'where one of that name waits for a person elsewhere',
      at: 12,
    },
    series: {
      [`keepalive_policy_condition{${of('a')},type="Ready",cluster="x"}`]: '0x15',
      [`keepalive_policy_condition{${of('a')},type="Ready",cluster="y"}`]: '1x15',
      [`keepalive_policy_condition{${of('a')},type="Stalled",cluster="y"}`]: '1x15',
    },
    fires: { labels: { ...labels, cluster: 'x' }, summary: `${named} does not become Ready.` },
  },
  ...(['pods', 'hosts'] as const).flatMap((what) => uncovered(what)),
  {
    ...{ alert: 'KeepaliveConnectionsExposed', when: 'after an hour', at: 61 },
    series: { [gauge('connections_exposed')]: '3x70', [gauge('enforced')]: '1x70' },
    fires: { labels, summary: `${named}: 3 open connections will not speak before the idle timeout.` },
  },
  {
    ...{ alert: 'KeepaliveConnectionsExposed', when: 'where the policy only looks', at: 61 },
    series: { [gauge('connections_exposed')]: '3x70', [gauge('enforced')]: '0x70' },
  },
  {
    ...{ alert: 'KeepaliveConnectionsExposed', when: 'where they are repaired within the hour', at: 70 },
    series: { [gauge('connections_exposed')]: '3x30 0x50', [gauge('enforced')]: '1x80' },
  },
  {
    ...{ alert: 'KeepaliveCoverageUnknown', when: 'after an hour, though the reason changed', at: 62 },
    series: {
      [unknown('SocketsNotReachable')]: '1x30 _x40',
      [unknown('WatchSilent')]: '_x31 1x40',
      [gauge('enforced')]: '1x80',
    },
    fires: {
      labels,
      summary: `${named}: nobody can tell whether what it selects is covered, and waiting does not end that.`,
    },
  },
  {
    ...{
      alert: 'KeepaliveCoverageUnknown',
      when: 'where it is known for moments that something is not',
      at: 62,
    },
    series: {
      [unknown('TooManySockets')]: '1x20 _x3 1x20 _x3 1x30',
      [gauge('enforced')]: '1x80',
    },
    fires: {
      labels,
      summary: `${named}: nobody can tell whether what it selects is covered, and waiting does not end that.`,
    },
  },
  ...['NothingSelected', 'PodsPending', 'NoAgent', 'NodeAway', 'GuestNotReached'].map((reason) => ({
    ...{ alert: 'KeepaliveCoverageUnknown', when: `for ${reason}`, at: 90 },
    series: { [unknown(reason)]: '1x100', [gauge('enforced')]: '1x100' },
  })),
  {
    ...{ alert: 'KeepaliveCoverageUnknown', when: 'where the policy only looks', at: 90 },
    series: { [unknown('OtherTransport')]: '1x100', [gauge('enforced')]: '0x100' },
  },
];

function uncovered(what: 'pods' | 'hosts'): RuleCase[] {
  const [alert, word, cause] =
    what === 'pods'
      ? ['KeepalivePodsNotCovered', 'pods', 'as of pods that have not started']
      : ['KeepaliveNodesNotCovered', 'nodes', 'as of nodes without an agent'];
  // Two are known not to be covered, and of a third nobody knows.
  const counts = { [gauge(`${what}_selected`)]: '5x40', [gauge(`${what}_live`)]: '2x40' };
  const isNot = { ...counts, [condition('Covered')]: '0x40' };
  const enforced = { [gauge('enforced')]: '1x40' };
  return [
    {
      ...{ alert, when: 'after half an hour, and counts those that were read', at: 31 },
      series: { ...isNot, ...enforced, [gauge(`${what}_uncovered`)]: '2x40' },
      fires: { labels, summary: `${named}: 2 ${word} are not covered.` },
    },
    {
      ...{ alert, when: 'before', at: 29 },
      series: { ...isNot, ...enforced, [gauge(`${what}_uncovered`)]: '2x40' },
    },
    {
      ...{ alert, when: 'where the policy only looks', at: 31 },
      series: { ...isNot, [gauge('enforced')]: '0x40', [gauge(`${what}_uncovered`)]: '2x40' },
    },
    {
      ...{ alert, when: `where nobody knows yet, ${cause}`, at: 31 },
      series: { ...counts, ...enforced, [gauge(`${what}_uncovered`)]: '0x40' },
    },
    {
      ...{ alert, when: `where nobody knows yet, ${cause}, and something else is not covered`, at: 31 },
      series: { ...isNot, ...enforced, [gauge(`${what}_uncovered`)]: '0x40' },
    },
    {
      ...{ alert, when: 'without agents, who alone could tell', at: 31 },
      series: { [gauge(`${what}_selected`)]: '5x40', [condition('Covered')]: '0x40', ...enforced },
    },
  ];
}
