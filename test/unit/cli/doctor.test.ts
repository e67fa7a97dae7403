import { describe, expect, test } from '@jest/globals';

import { crdOf, kinds } from '../../../src/api/crd.ts';
import { readSettings } from '../../../src/api/settings.ts';
import { known } from '../../../src/cli/cluster.ts';
import { diagnose } from '../../../src/cli/diagnosis.ts';
import type { DoctorFacts } from '../../../src/cli/doctor-facts.ts';
import { clusterBinding, clusterBindingName } from '../../../src/policy/admission.ts';
import { staticAdmission } from '../../../src/policy/installation.ts';
import { policyRecord } from '../../../src/policy/record.ts';
import { nat, platformSpec } from '../../support/builder.ts';
import type { Sketch } from './diagnosed.ts';
import {
  agentPod,
  agents,
  agentSet,
  cloud,
  deployment,
  edited,
  failedCreate,
  fine,
  kyvernoRule,
  lease,
  nowMs,
  object,
  objects,
  onlyNames,
} from './diagnosed.ts';

const told = (facts: Partial<DoctorFacts>) =>
  diagnose({ ...fine, ...facts })
    .filter(({ is }) => is !== 'fine')
    .map(({ check, is, text, todo }) => `${is}: ${check}: ${text}${todo === undefined ? '' : ` -> ${todo}`}`);

/** A policy of a namespace where Pod Security forbids the values. */
const inOld = (spec: object = {}) =>
  policyRecord('KeepalivePolicy', {
    metadata: { name: 'a', namespace: 'old', uid: 'a' },
    spec: { podSelector: {}, path: nat(90), ...spec },
  });
const pinned = objects({
  metadata: {
    name: 'old',
    labels: {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': 'v1.28',
    },
  },
});

test('a cluster that is as it should be is fine in all that is looked at', () => {
  expect(told({})).toEqual([]);
  const looked = ['Kubernetes', 'definitions', 'admission', 'controller', 'agents', 'nodes'];
  const checks = new Set(diagnose(fine).map(({ check }) => check));
  expect([...checks]).toEqual([...looked, 'Pod Security', 'settings', 'clocks']);
});

describe('it finds', () => {
  test.each<[string, Partial<DoctorFacts>, string]>([
    [
      'a Kubernetes that is too old',
      { server: known({ gitVersion: 'v1.32.4', dateMs: nowMs }) },
      'wrong: Kubernetes: Kubernetes is v1.32.4',
    ],
    [
      'a definition that is not there',
      { crds: { ...fine.crds, NodeKeepalive: known(undefined) } },
      'wrong: definitions: the CustomResourceDefinition of NodeKeepalive is not installed -> kubectl apply -k crds/',
    ],
    [
      'a definition of another version',
      {
        crds: {
          ...fine.crds,
          NodeKeepalive: known(object({ ...(crdOf(kinds.KeepalivePolicy) as unknown as Sketch) })),
        },
      },
      'wrong: definitions: the CustomResourceDefinition of NodeKeepalive differs in schema.',
    ],
    [
      'a binding that is not there',
      { mutatingBindings: objects() },
      'wrong: admission: MutatingAdmissionPolicyBinding keepalivepolicy.keepalive.dev is not installed, so new pods do not get the values of any KeepalivePolicy -> kubectl apply -k deploy/',
    ],
    [
      'a binding that somebody edited',
      { mutatingBindings: objects(edited({ policyName: 'other' })) },
      'wrong: admission: MutatingAdmissionPolicyBinding keepalivepolicy.keepalive.dev differs in spec.policyName from what this version installs: somebody edited it',
    ],
    [
      'that nobody can ask for evidence',
      { validatingBindings: objects() },
      'wrong: admission: ValidatingAdmissionPolicyBinding dry-run.keepalive.dev is not installed',
    ],
    [
      'a cluster policy without its binding',
      { policies: known([cloud]) },
      'wrong: admission: there is no binding for cloud',
    ],
    [
      'that there is no controller',
      { deployments: objects() },
      'wrong: controller: there is no controller in keepalive-agent, keepalive-system',
    ],
    [
      'a controller that was scaled to none',
      { deployments: objects(deployment(0, 0)) },
      'wrong: controller: 0 of 0 replicas of the controller (keepalive-system/keepalive-controller) are ready -> kubectl -n keepalive-system scale',
    ],
    [
      'a controller that nobody renews the Lease of',
      { leases: objects(lease('keepalive-controller', 300)) },
      'wrong: controller: the Lease keepalive-controller was renewed 300 s ago',
    ],
    [
      'agents that a quota refuses',
      {
        daemonSets: objects(agentSet(0)),
        pods: objects(),
        events: objects(
          failedCreate(
            'pods "x" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]',
          ),
        ),
      },
      'wrong: agents: pods of keepalive-agent cannot be made: pods "x" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}] -> bring back the ResourceQuota',
    ],
    [
      'agents that Pod Security refuses',
      {
        ...{ daemonSets: objects(agentSet(0)), pods: objects() },
        events: objects(
          failedCreate('pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces'),
        ),
        namespaces: objects({
          metadata: { name: agents, labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
        }),
      },
      'wrong: Pod Security: namespace keepalive-agent enforces Pod Security baseline, which refuses the agents -> kubectl label namespace keepalive-agent',
    ],
    [
      'agents whose image cannot be had',
      {
        daemonSets: objects(agentSet(0)),
        pods: objects(
          agentPod({
            containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } }],
          }),
        ),
      },
      'wrong: agents: pod keepalive-agent/agent-1: ImagePullBackOff: not found -> push the image',
    ],
    [
      'agents that there is no room for',
      {
        daemonSets: objects(agentSet(0)),
        pods: objects(
          agentPod({
            conditions: [
              { type: 'PodScheduled', status: 'False', message: '0/1 nodes: Insufficient memory' },
            ],
          }),
        ),
      },
      'wrong: agents: pod keepalive-agent/agent-1: Unschedulable: 0/1 nodes: Insufficient memory -> make room',
    ],
    ['a node that has no agent', { pods: objects() }, 'wrong: agents: no agent is on n1'],
    [
      'reports without agents',
      { daemonSets: objects(), pods: objects() },
      'wrong: agents: 1 nodes have a NodeKeepalive, and there is no DaemonSet of agents',
    ],
    [
      'an agent that says nothing',
      { reports: objects() },
      'wrong: nodes: the agents of n1 are ready and have reported nothing',
    ],
    [
      'a node whose connections are not reached',
      {
        reports: objects({
          metadata: { name: 'n1' },
          status: { agentVersion: '0.1.0', connections: { by: 'ValuesOnly', why: 'EPERM' } },
        }),
      },
      'wrong: nodes: on node n1 open connections are not reached: EPERM',
    ],
    [
      'a namespace of policies that Pod Security of before v1.29 holds for',
      { policies: known([inOld()]), namespaces: pinned },
      'wrong: Pod Security: policies select pods in old, where Pod Security as of before v1.29 forbids the sysctls',
    ],
    [
      'a rule of Kyverno that refuses the sysctls',
      { kyvernoPolicies: objects(kyvernoRule(onlyNames('net.ipv4.tcp_syncookies'))) },
      'wrong: Kyverno: policy restrict-sysctls of Kyverno (ClusterPolicy) allows a list of sysctls that lacks net.ipv4.tcp_keepalive_*, and refuses pods with the values -> add net.ipv4.tcp_keepalive_time',
    ],
    [
      'settings that cannot be read',
      { settings: known(readSettings({ acting: 'Sometimes' })) },
      'wrong: settings: ConfigMap keepalive-settings: acting: expected',
    ],
    [
      'a node whose clock is ahead',
      { nodeLeases: objects(lease('n1', -90)) },
      'wrong: clocks: clocks differ from that of the API server: node n1 (90 s ahead) -> have these nodes keep time',
    ],
    [
      'a node whose clock is behind',
      { nodeLeases: objects(lease('n1', 600)) },
      'wrong: clocks: clocks differ from that of the API server: node n1 (600 s behind)',
    ],
  ])('%s', (_sentence, facts, expected) => {
    const all = told(facts);
    if (!all.some((one) => one.startsWith(expected))) expect(all).toEqual([expected]);
    const wrong = diagnose({ ...fine, ...facts }).filter(({ is }) => is === 'wrong');
    for (const { text, todo } of wrong) expect([text, todo]).toEqual([text, expect.stringMatching(/\w/)]);
  });
});

describe('it does not mind', () => {
  test.each<[string, Partial<DoctorFacts>]>([
    [
      'a cluster policy that is bound',
      {
        policies: known([cloud]),
        mutatingBindings: objects(...(staticAdmission.bindings as readonly Sketch[]), {
          ...(clusterBinding({ name: 'cloud', uid: 'cloud', spec: platformSpec(90) }) as unknown as Sketch),
          metadata: { name: clusterBindingName('cloud') },
        }),
      },
    ],
    [
      'a rule of Kyverno that allows the sysctls',
      {
        kyvernoPolicies: objects(
          kyvernoRule(onlyNames('net.ipv4.tcp_keepalive_time | net.ipv4.tcp_syncookies')),
        ),
      },
    ],
    [
      'a rule of Kyverno about something else',
      { kyvernoPolicies: objects(kyvernoRule({ spec: { hostNetwork: false } })) },
    ],
    [
      'a namespace that Pod Security of before v1.29 holds for, where no policy may act',
      { policies: known([inOld({ path: nat(5) })]), namespaces: pinned },
    ],
    [
      'an old Lease of a node that is not ready',
      {
        nodes: objects({ metadata: { name: 'n1', labels: {} }, status: {} }),
        nodeLeases: objects(lease('n1', 600)),
      },
    ],
  ])('%s', (_sentence, facts) => {
    expect(told(facts)).toEqual([]);
  });

  test.each<[string, Partial<DoctorFacts>, string]>([
    [
      'that there are no agents at all',
      { daemonSets: objects(), pods: objects(), reports: objects() },
      'note: agents: no node agents are installed',
    ],
    [
      'a rule of Kyverno that only reports',
      { kyvernoPolicies: objects(kyvernoRule(onlyNames('kernel.shm_rmid_forced'), 'Audit')) },
      'note: Kyverno: policy restrict-sysctls',
    ],
    [
      'a namespace that Pod Security of before v1.29 holds for, where policies only audit',
      { policies: known([inOld({ mode: 'Audit' })]), namespaces: pinned },
      'note: Pod Security: policies that change nothing at present select pods in old, where Pod Security as of before v1.29 forbids the sysctls: enforced, new pods there would start without the values: raise the label pod-security.kubernetes.io/enforce-version there first',
    ],
    [
      'that the product is switched off',
      { settings: known(readSettings({ acting: 'Audit' })) },
      'note: settings: the product is switched to Audit',
    ],
    [
      'nodes that agents are not meant for',
      { daemonSets: objects(agentSet(1, { nodeSelector: { gpu: 'yes' } })), pods: objects() },
      'note: agents: agents are not meant for n1',
    ],
  ])('%s, and tells it', (_sentence, facts, expected) => {
    expect(told(facts)).toEqual([expect.stringMatching(new RegExp(`^${expected}`))]);
  });
});
