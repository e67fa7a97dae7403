import { expect, test } from '@jest/globals';

import type { AgentsView } from '../../../src/policy/agents.ts';
import { agentsMissing } from '../../../src/policy/agents.ts';
import { placementOf } from '../../../src/policy/placement.ts';
import { noAgents } from '../../../src/policy/rollup.ts';
import { assessed } from '../../support/assessed.ts';
import { platform } from '../../support/builder.ts';

const daemonSet = {
  ...{ namespace: 'keepalive-agent', name: 'keepalive-agent', isEnding: false },
  ...{ placement: placementOf({}), wanted: 20, made: 0 },
};
const view = (rest: Partial<AgentsView> = {}): AgentsView => ({
  ...{
    namespace: 'keepalive-agent',
    anyAgent: false,
    daemonSets: [daemonSet],
    refusal: undefined,
    reports: 0,
  },
  ...rest,
});

test.each<[string, Partial<AgentsView>]>([
  ['there are some', { anyAgent: true }],
  ['none was installed', { daemonSets: [] }],
  ['the DaemonSet is for none of the nodes', { daemonSets: [{ ...daemonSet, wanted: 0 }] }],
  ['the DaemonSet is being deleted', { daemonSets: [{ ...daemonSet, isEnding: true }] }],
])('no agents are missing where %s', (_sentence, rest) => {
  expect(agentsMissing(view(rest))).toBeUndefined();
});

test('a DaemonSet without any pod is told of, in the words in which it was refused them', () => {
  const refusal = 'pods "keepalive-agent-" is forbidden: insufficient quota to match these scopes';
  expect(agentsMissing(view({ refusal }))?.message).toBe(
    'the DaemonSet keepalive-agent wants a pod on 20 nodes and has none, so running pods are judged by their specs, and ' +
      `nodes keep their values: the API server says: ${refusal}`,
  );
  expect(agentsMissing(view())?.message).toContain(
    'see kubectl -n keepalive-agent describe daemonset keepalive-agent',
  );
});

test('reports of agents that are nowhere to be seen are told of', () => {
  expect(agentsMissing(view({ daemonSets: [], reports: 3 }))).toMatchObject({
    reason: 'AgentsElsewhere',
    message: expect.stringMatching(/^3 nodes have a NodeKeepalive, .* AGENT_NAMESPACE/) as unknown,
  });
});

test('it stands in a status where it would else say that no agent was installed', () => {
  const policy = platform(90, { nodes: { selector: {} } });
  const seen = assessed(policy, {
    ...{ generation: 1, neighbourhoods: [], others: [] },
    facts: { ...noAgents, agentsMissing: agentsMissing(view()) },
  });
  expect(seen.findings.map(({ reason }) => reason)).toEqual(['AgentsMissing']);
});
