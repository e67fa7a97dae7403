import { describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { known } from '../../../src/cli/cluster.ts';
import { subjectOf } from '../../../src/cli/explain.ts';
import { explanationWriters } from '../../../src/cli/explain-output.ts';
import { explainPod } from '../../../src/cli/explain-pod.ts';
import type { Standing } from '../../../src/cli/explanation.ts';
import { digestOfPolicy } from '../../../src/policy/policy-digest.ts';
import { namespace, platform, team } from '../../support/builder.ts';
import type { Sketch } from './explained.ts';
import { covered, factsOf, finding, nat, recordOf, reportOn, statementsOf } from './explained.ts';

describe('how a pod stands', () => {
  const told = (extra: Partial<NodePolicyReport>): Sketch => ({
    ...covered,
    report: { policies: [reportOn(nat, extra)] },
  });
  test.each<[string, Sketch, Standing, string]>([
    [
      'covered where it is the only one, and live',
      covered,
      'Covered',
      'fine: its kernel holds enough for KeepalivePolicy db/team: the report of its node counts it as live',
    ],
    [
      'covered where all of several are',
      told({ selected: 3, live: 3 }),
      'Covered',
      'fine: its kernel holds enough for KeepalivePolicy db/team: so does that of all 3 pods that it selects there',
    ],
    [
      'covered where another one is not, and that one is named',
      told({ selected: 2, live: 1, findings: [finding('NotLive', 'other')], findingsTotal: 1 }),
      'Covered',
      'fine: its kernel holds enough for KeepalivePolicy db/team: every fault of its node is named, and none is of this pod',
    ],
    [
      'unknown where not every fault is named',
      told({ selected: 30, live: 1, findings: [finding('NotLive', 'other')], findingsTotal: 29 }),
      'Unknown',
      'unknown: whether its kernel holds enough for KeepalivePolicy db/team: 1 of 30 pods that it selects there do, and not every other one is named',
    ],
    [
      'unknown where another one has only just been made',
      told({ selected: 2, live: 1, pending: 1 }),
      'Unknown',
      'unknown: whether its kernel holds enough for KeepalivePolicy db/team: 1 of 2 pods that it selects there do, and not every other one is named',
    ],
    [
      'not covered where its kernel does not hold enough',
      told({ live: 0, findings: [finding('WriteRefused')], findingsTotal: 1 }),
      'NotCovered',
      'wrong: KeepalivePolicy db/team: WriteRefused: WriteRefused it is',
    ],
    [
      'not covered where its connections are exposed',
      told({ findings: [finding('ExposedConnections')], findingsTotal: 1 }),
      'NotCovered',
      'wrong: KeepalivePolicy db/team: ExposedConnections: ExposedConnections it is',
    ],
    [
      'covered where the exposed connections are those of another',
      told({
        ...{ selected: 2, live: 2, connections: { established: 2, protected: 1, exposed: 1 } },
        findings: [finding('ExposedConnections', 'other')],
        findingsTotal: 1,
      }),
      'Covered',
      'fine: none of its connections is exposed: those that are belong to others (of the pods that KeepalivePolicy db/team selects there: 1 protected, 1 exposed)',
    ],
    [
      'unknown where connections were not counted yet',
      { ...covered, report: { policies: [{ ...reportOn(nat), connections: undefined }] } },
      'Unknown',
      'unknown: how its connections stand to KeepalivePolicy db/team: they were not counted yet',
    ],
    [
      'unknown where connections of a pod there were not looked at yet, which may be this one',
      told({ selected: 2, live: 2, uncounted: 1 }),
      'Unknown',
      'unknown: how its connections stand to KeepalivePolicy db/team: those of one place there were not looked at yet, which may be its own (of the pods that KeepalivePolicy db/team selects there: 1 protected)',
    ],
    [
      'covered where it is told of, and so was looked at',
      told({ selected: 2, live: 2, uncounted: 1, findings: [finding('UserTimeout')], findingsTotal: 1 }),
      'Covered',
      'note: UserTimeout: UserTimeout it is',
    ],
    [
      'unknown where no agent reports from its node',
      { ...covered, report: undefined },
      'Unknown',
      'unknown: what the kernel of n1 holds: it has no NodeKeepalive, so no agent reports from there (`keepalive doctor` tells why)',
    ],
    [
      'unknown where the report speaks of an earlier generation',
      told({ observedGeneration: 0 }),
      'Unknown',
      'unknown: how it stands to KeepalivePolicy db/team: the report of n1 speaks of what it said before its last change',
    ],
    [
      'unknown where the report speaks of a policy that had its name before it',
      told({ policyDigest: digestOfPolicy('another', nat.effective) }),
      'Unknown',
      'unknown: how it stands to KeepalivePolicy db/team: the report of n1 speaks of another that had its name, or of values that another version derives',
    ],
    [
      'unknown where there was no room for the policy',
      { ...covered, report: { policies: [], shortened: [{ namespace: 'db', policies: 9, leftOut: 3 }] } },
      'Unknown',
      'unknown: how it stands to KeepalivePolicy db/team: the report of n1 does not speak of it (there was no room for it)',
    ],
    [
      'unknown before its first container has started',
      { ...covered, pod: { phase: 'Pending' } },
      'Unknown',
      'note: none of its containers has started yet',
    ],
    [
      'selected by nobody',
      { ...covered, policies: [recordOf(team(90, { podSelector: { matchLabels: { app: 'x' } } }))] },
      'Unselected',
      'note: admission has not changed it: no policy that acts is for it',
    ],
    [
      'unknown where cluster policies may not be read',
      { policies: [], facts: { cluster: { known: false, why: 'you may not list them' } } },
      'Unknown',
      'unknown: whether cluster policies select it: you may not list them',
    ],
    [
      'not covered where Pod Security refuses the values and there are no agents',
      {
        ...{ policies: [recordOf(nat)], report: undefined },
        facts: {
          agents: known([]),
          namespace: known(
            namespace('db', {
              'pod-security.kubernetes.io/enforce': 'baseline',
              'pod-security.kubernetes.io/enforce-version': 'v1.25',
            }),
          ),
        },
      },
      'NotCovered',
      'wrong: admission leaves it as it is (PodSecurityPinned): its namespace enforces Pod Security as of before v1.29, which forbids the keepalive sysctls: raise the label pod-security.kubernetes.io/enforce-version',
    ],
    [
      'not covered by a policy that is beyond the limits of the cluster',
      { ...covered, policies: [recordOf(team(5))] },
      'NotCovered',
      'wrong: KeepalivePolicy db/team does not act. Nothing is done for it: it declares nat (5 s), and ConfigMap keepalive-settings (smallestIdleTimeoutSeconds) allows no less than 10 s. Declare a longer one, or ask whoever administers the cluster',
    ],
  ])('is %s', (_sentence, sketch, standing, statement) => {
    const explanation = explainPod(factsOf(sketch));
    expect(statementsOf(explanation)).toContain(statement);
    expect(explanation.standing).toBe(standing);
  });
});

describe('which policy binds', () => {
  test('is the one with the shortest timeout that acts, and declared values are told of by name', () => {
    const eager = team(120, { keepalive: { timeSeconds: 20 } }, 'eager');
    const policies = [team(90), eager, platform(60), team(30, { mode: 'Audit' }, 'audited')].map((one) =>
      recordOf(one),
    );
    const { selectedBy, asked } = explainPod(factsOf({ policies }));
    expect(selectedBy.map(({ name, binds, inactive }) => [name, binds, inactive])).toEqual([
      ['audited', false, 'mode Audit changes nothing'],
      ['platform', true, undefined],
      ['team', false, undefined],
      ['eager', false, undefined],
    ]);
    expect(asked).toEqual({
      ...{ idleTimeoutSeconds: 60, by: 'ClusterKeepalivePolicy platform', hop: 'nat' },
      ...{ timeSeconds: 20, intervalSeconds: 7, probes: 6 },
      declared: ['timeSeconds 20 at most: KeepalivePolicy db/eager declares it'],
    });
  });

  test('what follows from the longer timeout of another is told of by name too', () => {
    const declaring = team(90, { keepalive: { timeSeconds: 60 } });
    const policies = [declaring, platform(120)].map((one) => recordOf(one));
    expect(explainPod(factsOf({ policies })).asked).toMatchObject({
      ...{ by: 'KeepalivePolicy db/team', timeSeconds: 40, intervalSeconds: 5, probes: 9 },
      declared: [
        'timeSeconds 60 at most: KeepalivePolicy db/team declares it',
        'timeSeconds 40: ClusterKeepalivePolicy platform gives it, behind 120 s',
      ],
    });
  });

  test('of a pod of its node may be one for the node', () => {
    const policies = [recordOf(platform(60, { podSelector: undefined, nodes: { selector: {} } }))];
    const of = (spec: object) => explainPod(factsOf({ policies, pod: { spec } })).selectedBy.length;
    expect([of({ hostNetwork: true }), of({})]).toEqual([1, 0]);
  });
});

test('the text goes from the policies to what to do', () => {
  const report = {
    policies: [reportOn(nat, { live: 0, findings: [finding('WriteRefused')], findingsTotal: 1 })],
  };
  const explanation = explainPod(factsOf({ ...covered, report }));
  expect(explanationWriters.text(explanation, (_how, words) => words)).toBe(`pod db/mongo-0 on n1: not covered

Policies
  KeepalivePolicy db/team: 30/10/6 behind 90 s of nat: binds
  asked of it: 30/10/6, behind 90 s of nat (KeepalivePolicy db/team)

At its creation
  fine: its spec starts it with 30/10/6, which is enough behind 90 s
  note: admission has not changed it: it looked away (the API server had just started, something refused pods, or the labels of the pod are newer than it is)

What the kernel holds
  wrong: KeepalivePolicy db/team: WriteRefused: WriteRefused it is

Its connections
  fine: none of its connections is exposed (of the pods that KeepalivePolicy db/team selects there: 1 protected)

What to do
  - WriteRefused: WriteRefused it is
`);
});

describe('what is to be explained', () => {
  test.each([
    [['mongo-0'], { kind: 'pod', name: 'mongo-0' }],
    [['pod/mongo-0'], { kind: 'pod', name: 'mongo-0' }],
    [['po', 'mongo-0'], { kind: 'pod', name: 'mongo-0' }],
    [['Node/n1'], { kind: 'node', name: 'n1' }],
  ])('may be written %j', (words, subject) => {
    expect(subjectOf(words)).toEqual(subject);
  });

  test.each([[['deployment/app']], [['pod/']], [['a', 'b', 'c']], [['constructor/a']]])(
    'is not %j',
    (words) => {
      expect(() => subjectOf(words)).toThrow('it explains one pod or one node');
    },
  );
});
