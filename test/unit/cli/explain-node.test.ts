import { describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import type { Standing } from '../../../src/cli/explanation.ts';
import { explainNode } from '../../../src/cli/explain-node.ts';
import { platform } from '../../support/builder.ts';
import { agentOn, factsOfNode, finding, reportOn, statementsOf } from './explained.ts';

const ofNodes = platform(60, { podSelector: undefined, nodes: { selector: {} } });
const ofBoth = platform(60, { nodes: { selector: {} } });
const ofNode = (reason: string) => ({ reason, node: 'n1', message: `${reason} it is` });
const exposed = { established: 5, protected: 1, exposed: 4 };
const named = (...findings: NonNullable<NodePolicyReport['findings']>) => ({
  findings,
  findingsTotal: findings.length,
});

describe('the own network of a node', () => {
  test.each<[string, Partial<NodePolicyReport>, Standing, string]>([
    [
      'is covered where it holds enough and its connections are protected',
      {},
      'Covered',
      'fine: none of its connections is exposed (of its network: 1 protected)',
    ],
    [
      'is not where its kernel does not hold enough',
      { host: 'NotLive', ...named(ofNode('WriteRefused')) },
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: WriteRefused: WriteRefused it is',
    ],
    [
      'is not where connections of its own programs are exposed',
      { connections: exposed, ...named(ofNode('ExposedConnections')) },
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: ExposedConnections: ExposedConnections it is',
    ],
    [
      'is not where those of a pod are that uses it',
      { connections: exposed, ...named({ ...finding('ExposedConnections'), namespace: 'db' }) },
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: ExposedConnections of pod db/mongo-0: ExposedConnections it is',
    ],
    [
      'is not where some are exposed and nothing names them',
      { connections: exposed, findingsTotal: 30 },
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: some of its connections are exposed (of its network: 1 protected, 4 exposed)',
    ],
    [
      'is unknown where its connections were not counted',
      { connections: undefined },
      'Unknown',
      'unknown: how its connections stand to ClusterKeepalivePolicy platform: they were not counted yet',
    ],
    [
      'is unknown where not all of them were',
      { uncounted: 1 },
      'Unknown',
      'unknown: how its connections stand to ClusterKeepalivePolicy platform: those of one place there were not looked at yet, which may be its own (of its network: 1 protected)',
    ],
    [
      'is unknown where sockets cannot be looked at',
      named(ofNode('SocketsNotReachable')),
      'Unknown',
      'unknown: ClusterKeepalivePolicy platform: SocketsNotReachable: SocketsNotReachable it is',
    ],
    [
      'is covered where its own tracker is only shorter',
      named(ofNode('ShorterTrackerOnNode')),
      'Covered',
      'note: ShorterTrackerOnNode: ShorterTrackerOnNode it is',
    ],
  ])('%s', (_sentence, said, standing, statement) => {
    const explanation = explainNode(factsOfNode(ofNodes, reportOn(ofNodes, { ...live, ...said })));
    expect(statementsOf(explanation)).toContain(statement);
    expect(explanation.standing).toBe(standing);
  });

  test.each<[string, Partial<NodePolicyReport>, Standing, string]>([
    [
      'is covered where nothing is exposed',
      {},
      'Covered',
      'fine: none of its connections is exposed (of its network, and of pods that ClusterKeepalivePolicy platform selects there: 1 protected)',
    ],
    [
      'is unknown where a pod is that may use it',
      { connections: exposed, ...named({ ...finding('ExposedConnections'), namespace: 'db' }) },
      'Unknown',
      'unknown: whether the exposed connections are its own (of its network, and of pods that ClusterKeepalivePolicy platform selects there: 1 protected, 4 exposed): db/mongo-0 may use its network, as `keepalive explain` tells of each pod',
    ],
    [
      'is unknown where sockets of a pod cannot be looked at that may use it',
      named({ ...finding('SocketsNotReachable'), namespace: 'db' }),
      'Unknown',
      'unknown: whether all of its connections could be looked at (of its network, and of pods that ClusterKeepalivePolicy platform selects there: 1 protected): db/mongo-0 may use its network, as `keepalive explain` tells of each pod',
    ],
    [
      'is covered whatever the kernel of another network holds, and whatever guest it has',
      named({ ...finding('NotLive'), namespace: 'db' }, { ...finding('GuestNotReached'), namespace: 'db' }),
      'Covered',
      'fine: that is enough for ClusterKeepalivePolicy platform',
    ],
    [
      'is not where connections of its own programs are exposed',
      { connections: exposed, ...named(ofNode('ExposedConnections')) },
      'NotCovered',
      'wrong: ClusterKeepalivePolicy platform: ExposedConnections: ExposedConnections it is',
    ],
  ])('of a policy that selects pods there too %s', (_sentence, said, standing, statement) => {
    const beside = { ...live, selected: 2, live: 2, ...said };
    const explanation = explainNode(factsOfNode(ofBoth, reportOn(ofBoth, beside)));
    expect(statementsOf(explanation)).toContain(statement);
    expect(explanation.standing).toBe(standing);
  });

  test('is unknown where its agent is not ready', () => {
    const explanation = explainNode(
      factsOfNode(ofNodes, reportOn(ofNodes, live), [agentOn('n1', false), agentOn('n2')]),
    );
    expect(explanation.standing).toBe('Unknown');
  });
});

const live: Partial<NodePolicyReport> = { selected: 0, live: 0, host: 'Live' };
