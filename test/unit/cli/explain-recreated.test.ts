import { describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import type { Finding } from '../../../src/api/status.ts';
import type { Answer } from '../../../src/cli/cluster.ts';
import { known } from '../../../src/cli/cluster.ts';
import type { Neighbour } from '../../../src/cli/explain-facts.ts';
import { explainPod } from '../../../src/cli/explain-pod.ts';
import type { Standing } from '../../../src/cli/explanation.ts';
import { digestOfPods } from '../../../src/policy/pod-digest.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { namespace, nodePodOf, platform, sysctls } from '../../support/builder.ts';
import { factsOf, finding, nat, recordOf, reportOn, statementsOf } from './explained.ts';

/** The uid of the one that is explained is `u`. */
const neighbour = (uid: string, labels: Record<string, string> = {}, of = 'db'): Neighbour => ({
  pod: { ...nodePodOf({ name: uid, namespace: of, labels }), uid },
  namespace: namespace(of, { 'kubernetes.io/metadata.name': of }),
});
const ending: Neighbour = { ...neighbour('x'), pod: { ...neighbour('x').pod, live: false } };
const home = namespace('db', { 'kubernetes.io/metadata.name': 'db' });
const told = (uids: readonly string[], extra: Partial<NodePolicyReport> = {}) => ({
  ...{ selected: uids.length, live: uids.length, podsDigest: digestOfPods(uids), ...extra },
});
const all = platform(90);
const ofTeam = platform(90, {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'db' } },
});
const labelled = platform(90, {
  podSelector: { matchExpressions: [{ key: 'own', operator: 'DoesNotExist' }] },
});
const here = [
  neighbour('u'),
  neighbour('v'),
  ending,
  neighbour('w', { own: 'yes' }),
  neighbour('z', {}, 'web'),
];
const how = (name: string) => `unknown: how it stands to ${name}: `;
const others = (name: string) =>
  `${how(name)}the report of n1 speaks of other pods than those that it selects there now (it reports within seconds after a change)`;

const asAll = (count: number) =>
  `fine: its kernel holds enough for ClusterKeepalivePolicy platform: so does that of all ${count} pods that it selects there`;

/** What the report tells to a policy, and which pods may be seen beside it. */
type Seen = readonly [
  policy: EffectivePolicy,
  said: Partial<NodePolicyReport>,
  beside: Answer<readonly Neighbour[]>,
];
const besideOf = (pods: Answer<readonly Neighbour[]>) => ({
  ...{ KeepalivePolicy: pods, ClusterKeepalivePolicy: pods },
});
const unseen = { known: false, why: 'you may not list pods' } as const;

test.each<[sentence: string, seen: Seen, standing: Standing, statement: string]>([
  [
    'is covered where the report speaks of it',
    [nat, told(['u']), unseen],
    'Covered',
    'fine: its kernel holds enough for KeepalivePolicy db/team: the report of its node counts it as live',
  ],
  [
    'is unknown where the report speaks of one that had its name before it',
    [nat, told(['before']), known([neighbour('u')])],
    'Unknown',
    others('KeepalivePolicy db/team'),
  ],
  [
    'is unknown where what is said to be wrong is said of the one before it',
    [nat, told(['before'], { live: 0, findings: [finding('NotLive')], findingsTotal: 1 }), unseen],
    'Unknown',
    others('KeepalivePolicy db/team'),
  ],
  [
    'is unknown where another has come into its place',
    [nat, told(['after']), known([neighbour('after')])],
    'Unknown',
    others('KeepalivePolicy db/team'),
  ],
  [
    'is covered where all were read that are there',
    [all, told(['u', 'v', 'w', 'z']), known(here)],
    'Covered',
    asAll(4),
  ],
  [
    'is covered where all of its namespace were',
    [ofTeam, told(['u', 'v', 'w']), known(here)],
    'Covered',
    asAll(3),
  ],
  [
    'is covered where all with such labels were',
    [labelled, told(['u', 'v', 'z']), known(here)],
    'Covered',
    asAll(3),
  ],
  [
    'is unknown where it may be the one that was not read yet',
    [all, told(['v', 'w', 'z']), known(here)],
    'Unknown',
    others('ClusterKeepalivePolicy platform'),
  ],
  [
    'is unknown where nobody can tell which were read',
    [all, told(['u', 'v']), unseen],
    'Unknown',
    `${how('ClusterKeepalivePolicy platform')}whether the report of n1 speaks of it: you may not list pods`,
  ],
  [
    'is believed to be one of several that an agent of an earlier version tells of',
    [all, { selected: 3, live: 3 }, unseen],
    'Covered',
    asAll(3),
  ],
])('a pod %s', (_sentence, [policy, said, pods], standing, statement) => {
  const explanation = explainPod(
    factsOf({
      ...{ pod: { sysctls: sysctls() }, policies: [recordOf(policy)] },
      facts: { beside: besideOf(pods), namespace: known(home) },
      report: { policies: [reportOn(policy, said)] },
    }),
  );
  expect(statementsOf(explanation)).toContain(statement);
  expect(explanation.standing).toBe(standing);
});

describe('where the report speaks of other pods, what it tells of one of this name', () => {
  const statementsWith = (findings: Finding[], pods: Answer<readonly Neighbour[]>) =>
    statementsOf(
      explainPod(
        factsOf({
          ...{ pod: { sysctls: sysctls() }, policies: [recordOf(all)], facts: { beside: besideOf(pods) } },
          report: {
            policies: [
              reportOn(all, told(['u', 'v'], { live: 1, findings, findingsTotal: findings.length })),
            ],
          },
        }),
      ),
    );
  const saidOf = (reason: string) =>
    `unknown: ClusterKeepalivePolicy platform: the report said of a pod of this name: ${reason}: ${reason} it is`;

  test.each<[sentence: string, pods: Answer<readonly Neighbour[]>]>([
    ['another has come', known(here)],
    ['another has gone', known([neighbour('u')])],
    ['nobody can tell which they are', unseen],
  ])('is told, and called unknown, where %s', (_sentence, pods) => {
    const statements = statementsWith([finding('WriteRefused'), finding('UserTimeout')], pods);
    const ofName = statements.filter((one) => one.includes('of this name'));
    expect(ofName).toEqual([saidOf('WriteRefused'), saidOf('UserTimeout')]);
    expect(statements.filter((one) => one.startsWith('wrong'))).toEqual([]);
  });

  test('is not what it tells of others', () => {
    const statements = statementsWith([finding('WriteRefused', 'other')], known(here));
    expect(statements.filter((one) => one.includes('WriteRefused'))).toEqual([]);
  });
});
