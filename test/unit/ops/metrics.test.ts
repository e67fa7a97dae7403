import { describe, expect, test } from '@jest/globals';

import { createAgentMetrics } from '../../../src/ops/agent-metrics.ts';
import type { AgentsReading } from '../../../src/ops/controller-metrics.ts';
import { createControllerMetrics } from '../../../src/ops/controller-metrics.ts';
import type { PolicyReading } from '../../../src/ops/policy-metrics.ts';

type Registered = Pick<ReturnType<typeof createAgentMetrics>, 'registry'>;

const seriesOf = async ({ registry }: Registered) =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

const policy: PolicyReading = {
  ...{ kind: 'KeepalivePolicy', namespace: 'db', name: 'behind-the-nat' },
  ...{ podsSelected: 12, podsLive: undefined, podsUncovered: undefined, isEnforced: true },
  ...{ hostsSelected: 3, hostsLive: 2, hostsUncovered: 1 },
  ...{ connectionsEstablished: 340, connectionsExposed: 0, coveredUnknown: undefined },
  conditions: new Map([
    ['Ready', true],
    ['Covered', false],
  ]),
};

function controllerMetrics(
  policies: () => Iterable<PolicyReading> = () => [],
  depth: () => number = () => 1,
  agents: () => AgentsReading | undefined = () => undefined,
) {
  return createControllerMetrics({
    ...{ version: '0.1.0', queueDepth: depth, leading: () => true, policies, agents },
    policiesInExcess: () => 5,
    reflectors: () => [{ resource: 'pods', secondsSinceContact: 12, objects: 3 }],
  });
}

describe('a controller', () => {
  test('counts what happened, and reads what is so at the scrape', async () => {
    let depth = 1;
    const metrics = controllerMetrics(undefined, () => depth);
    metrics.reconciles.inc({ kind: 'KeepalivePolicy', outcome: 'done' });
    metrics.apiRequests.inc({ verb: 'get', resource: 'pods', code: 200 }, 2);
    metrics.reconcileSeconds.observe({ kind: 'KeepalivePolicy' }, 0.02);
    depth = 7;
    expect(await seriesOf(metrics)).toEqual(
      expect.arrayContaining([
        'keepalive_reconcile_total{kind="KeepalivePolicy",outcome="done"} 1',
        'keepalive_api_requests_total{verb="get",resource="pods",code="200"} 2',
        'keepalive_reconcile_seconds_bucket{le="0.025",kind="KeepalivePolicy"} 1',
        'keepalive_queue_depth 7',
        'keepalive_policies_in_excess 5',
        'keepalive_leader 1',
        'keepalive_reflector_last_contact_seconds{resource="pods"} 12',
        'keepalive_store_objects{resource="pods"} 3',
        `keepalive_build_info{version="0.1.0",component="controller",node_version="${process.versions.node}"} 1`,
      ]),
    );
  });

  test('lets others have their turn while it tells of thousands of policies', async () => {
    const many = Array.from({ length: 4000 }, (_, at) => ({ ...policy, name: `p${at}` }));
    const metrics = controllerMetrics(() => many);
    let turns = 0;
    let isDone = false;
    const other = () => {
      turns += 1;
      if (!isDone) setImmediate(other);
    };
    setImmediate(other);
    const told = await seriesOf(metrics);
    isDone = true;
    // Seven of the gauges have a series of each, and one has two.
    expect(told.filter((line) => line.includes('policy="p'))).toHaveLength(many.length * 9);
    expect(turns).toBeGreaterThan(36);
  });

  test('tells of each policy what is known, and nothing of what is not, nor of one that is gone', async () => {
    let policies = [policy];
    const metrics = controllerMetrics(() => policies);
    const told = async () => (await seriesOf(metrics)).filter((line) => line.startsWith('keepalive_policy_'));
    const of = 'kind="KeepalivePolicy",policy_namespace="db",policy="behind-the-nat"';
    expect(await told()).toEqual([
      `keepalive_policy_pods_selected{${of}} 12`,
      `keepalive_policy_hosts_selected{${of}} 3`,
      `keepalive_policy_hosts_live{${of}} 2`,
      `keepalive_policy_hosts_uncovered{${of}} 1`,
      `keepalive_policy_connections_established{${of}} 340`,
      `keepalive_policy_connections_exposed{${of}} 0`,
      `keepalive_policy_enforced{${of}} 1`,
      `keepalive_policy_condition{${of},type="Ready"} 1`,
      `keepalive_policy_condition{${of},type="Covered"} 0`,
    ]);
    policies = [{ ...policy, coveredUnknown: 'NoAgent', conditions: new Map() }];
    expect((await told()).at(-1)).toBe(`keepalive_policy_covered_unknown{${of},reason="NoAgent"} 1`);
    policies = [];
    expect(await told()).toEqual([]);
  });
});

test('a controller tells how many agents report, and nothing where none is meant to be', async () => {
  let agents: AgentsReading | undefined;
  const metrics = controllerMetrics(undefined, undefined, () => agents);
  const told = async () => (await seriesOf(metrics)).filter((line) => line.startsWith('keepalive_agents_'));
  expect(await told()).toEqual([]);
  agents = { wanted: 3, reporting: 0 };
  expect(await told()).toEqual(['keepalive_agents_wanted 3', 'keepalive_agents_reporting 0']);
  agents = undefined;
  expect(await told()).toEqual([]);
});

describe('an agent', () => {
  const agentMetrics = () =>
    createAgentMetrics({
      ...{ version: '0.1.0', places: () => 251 },
      reflectors: () => [
        { resource: 'pods', secondsSinceContact: 12, objects: 3 },
        { resource: 'nodes', secondsSinceContact: 40, objects: 1 },
      ],
    });
  const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'apply', 'delete'];
  const codes = [0, 200, 201, 403, 404, 409, 410, 422, 429, 500, 503, 504];

  test('has 40 series at most, whatever it asks and is answered', async () => {
    const metrics = agentMetrics();
    for (const verb of verbs) for (const code of codes) metrics.requested({ verb, code });
    const series = await seriesOf(metrics);
    expect(series.filter((line) => line.startsWith('keepalive_agent_api_requests_total'))).toHaveLength(12);
    expect(series.length).toBeLessThanOrEqual(40);
  });

  test.each([
    ['list', 200, 'read', 'done'],
    ['watch', 410, 'watch', 'refused'],
    ['patch', 429, 'write', 'busy'],
    ['apply', 503, 'write', 'busy'],
    ['get', 0, 'read', 'none'],
  ])('counts a %s that ends with %i as %s, %s', async (verb, code, does, answer) => {
    const metrics = agentMetrics();
    metrics.requested({ verb, code });
    expect(await seriesOf(metrics)).toContain(
      `keepalive_agent_api_requests_total{does="${does}",answer="${answer}"} 1`,
    );
  });

  test('tells how long the quietest of its watches is silent, and how the process does', async () => {
    const series = await seriesOf(agentMetrics());
    expect(series).toContain('keepalive_agent_last_contact_seconds 40');
    expect(series).toContain('keepalive_agent_network_namespaces 251');
    // The library sets some of these only by the way of others.
    for (const name of ['process_cpu_seconds_total', 'nodejs_heap_size_used_bytes'])
      expect(series.find((line) => line.startsWith(`${name} `))).toMatch(/ [\d.]*[1-9]/);
  });

  test('shows nothing of a part that it does not have', async () => {
    expect((await seriesOf(agentMetrics())).join('\n')).not.toMatch(
      /keepalive_(leader|queue_depth|store_objects|policy)/,
    );
  });
});
