import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { readSettings } from '../../../src/api/settings.ts';
import { Cluster, known } from '../../../src/cli/cluster.ts';
import { creationStatements } from '../../../src/cli/explain-creation.ts';
import { factsOfNode, podFacts, settingsIn } from '../../../src/cli/explain-facts.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { webhookAround } from '../../../src/policy/installation.ts';
import { digestOfPods } from '../../../src/policy/pod-digest.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { platform, rawPod, team } from '../../support/builder.ts';
import { reportOn } from './explained.ts';

let server: FakeApiServer;
let cluster: Cluster;
beforeEach(async () => {
  server = await FakeApiServer.start();
  cluster = new Cluster(new ApiClient(plain(server.url)), { namespace: 'db', where: 'here' });
});
afterEach(async () => {
  await cluster.client.close();
  await server.close();
});

const data = { acting: 'Audit' };
const there = json({ metadata: { name: 'keepalive-settings', uid: 'c', resourceVersion: '1' }, data });
const refused = status(403, 'Forbidden');
const absent = status(404, 'NotFound');
const inForce = known(readSettings(data));
const unknown = { known: false, why: expect.stringContaining('you may not get configmaps in namespace') };

describe('the settings are', () => {
  test.each<[sentence: string, controller: Answer, agents: Answer, expected: unknown]>([
    ['those of the namespace that has some', there, absent, inForce],
    ['those of the other one', absent, there, inForce],
    ['those that can be read, where the other namespace cannot', refused, there, inForce],
    ['not known where one that cannot be read may have some', absent, refused, unknown],
    ['the usual ones where there are none', absent, absent, known(readSettings(undefined))],
  ])('%s', async (_sentence, controller, agents, expected) => {
    server.otherwise = (response, asked) =>
      (asked.path.startsWith('/api/v1/namespaces/platform/') ? controller : agents)(response, asked);
    expect(await settingsIn(cluster, ['platform', 'keepalive-agent'])).toEqual(expected);
  });

  test('the usual ones where the operator is nowhere', async () => {
    expect(await settingsIn(cluster, [])).toEqual(known(readSettings(undefined)));
  });
});

describe('a pod that would be made anew is promised values', () => {
  const list = (...items: readonly object[]) => json({ metadata: { resourceVersion: '5' }, items });
  const named = (name: string) => ({ metadata: { name, uid: name, resourceVersion: '1' } });
  const { metadata, ...configuration } = webhookAround({ controller: 'platform', agents: 'nodes' });
  const installed = json({ ...configuration, metadata: { ...named('').metadata, ...metadata } });
  const bindings = list({ ...named('b'), subjects: [{ kind: 'ServiceAccount', namespace: 'platform' }] });

  /** What is said of one without values in that namespace. */
  async function saidIn(namespace: string, configuration: Answer, rolesBound: Answer): Promise<string> {
    const answers: Readonly<Record<string, Answer>> = {
      mutatingwebhookconfigurations: configuration,
      clusterrolebindings: rolesBound,
      // What is served of it, and of each kind nothing.
      'keepalive.dev': json({ resources: [{ name: 'keepalivepolicies' }], metadata: {}, items: [] }),
    };
    server.otherwise = (response, asked) => {
      const [kind = ''] = asked.path.split('/').filter((part) => part in answers);
      const answer = asked.path.endsWith('/pods/mongo-0') ? json(pod) : (answers[kind] ?? absent);
      return answer(response, asked);
    };
    const pod = rawPod({ namespace });
    const there = new Cluster(cluster.client, { namespace, where: 'here' });
    const requirement = { ...{ timeSeconds: 30, intervalSeconds: 10 }, idleTimeoutSeconds: 90, declared: {} };
    const said = creationStatements(await podFacts(there, 'mongo-0'), [], requirement);
    return said.map(({ text }) => text).find((text) => text.includes('recreated')) ?? '';
  }

  const plainly = /: recreated, it would start with what is asked$/;
  const unless = /, but where a webhook changes new pods, which is not asked about this namespace$/;
  const read = { webhook: installed, bound: bindings };
  test.each<[sentence: string, namespace: string, answers: typeof read, expected: RegExp]>([
    ['in any other namespace', 'db', read, plainly],
    ['but not where the controller was put', 'platform', read, unless],
    ['but not where the agents were put', 'nodes', read, unless],
    ['but not where the cluster starts from', 'kube-system', read, unless],
    ['where the operator is not, whatever the manifests say', 'keepalive-system', read, plainly],
    ['wherever it is, where there is no webhook', 'platform', { ...read, webhook: absent }, plainly],
    [
      'but not where the operator is, where the webhook may not be read',
      'platform',
      { ...read, webhook: refused },
      unless,
    ],
    ['and elsewhere, where it may not be read', 'keepalive-system', { ...read, webhook: refused }, plainly],
    [
      'but by the manifests, where nothing may be read',
      'keepalive-system',
      { webhook: refused, bound: refused },
      unless,
    ],
  ])('%s', async (_sentence, namespace, { webhook, bound }, expected) => {
    expect(await saidIn(namespace, webhook, bound)).toMatch(expected);
  });
});

describe('the pods of its node are', () => {
  const pods = (...namespaces: string[]) =>
    json({
      metadata: { resourceVersion: '5' },
      items: namespaces.map((namespace) => ({
        ...rawPod({ namespace }),
        metadata: { ...rawPod({ namespace }).metadata, uid: `of-${namespace}`, resourceVersion: '1' },
      })),
    });
  const everywhere = '/api/v1/pods';
  const here = '/api/v1/namespaces/db/pods';
  const another = { selected: 2, podsDigest: digestOfPods(['of-db', 'gone']) };
  const [ofTeam, ofAll] = [reportOn(team(90), another), reportOn(platform(90), another)];

  /** Of each kind of policy; and which lists were asked for. */
  async function seen(answers: Readonly<Record<string, Answer>>, ...policies: NodePolicyReport[]) {
    const served = json({
      metadata: { name: 'n1', uid: 'n', resourceVersion: '1' },
      ...{ resources: [{ name: 'keepalivepolicies' }], items: [], status: { policies } },
    });
    const lists: string[] = [];
    server.otherwise = (response, asked) => {
      const { path, query } = asked;
      if (path.endsWith('/pods/mongo-0')) return json(raw)(response, asked);
      const answer = query['fieldSelector'] === 'spec.nodeName=n1' ? answers[path] : undefined;
      if (answer !== undefined) lists.push(path);
      return (answer ?? served)(response, asked);
    };
    const raw = { ...rawPod(), metadata: { ...rawPod().metadata, uid: 'of-db' } };
    const { beside } = await podFacts(cluster, 'mongo-0');
    const told = Object.values(beside).map((answer) =>
      answer.known ? answer.value.map(({ pod }) => pod.uid) : answer.why,
    );
    return [...told, lists];
  }

  test('those of all namespaces, where they may be listed', async () => {
    expect(await seen({ [everywhere]: pods('db', 'web') }, ofTeam, ofAll)).toEqual([
      ['of-db', 'of-web'],
      ['of-db', 'of-web'],
      [everywhere],
    ]);
  });

  test('those of its own namespace for the policies of it, where only these may be', async () => {
    expect(await seen({ [everywhere]: refused, [here]: pods('db') }, ofTeam, ofAll)).toEqual([
      ['of-db'],
      'you may not list pods',
      [everywhere, here],
    ]);
  });

  test('only those of its own namespace where no cluster policy is compared with them', async () => {
    const answers = { [everywhere]: pods('db', 'web'), [here]: pods('db') };
    expect(await seen(answers, ofTeam)).toEqual([['of-db'], [], [here]]);
  });

  test.each<[sentence: string, said: Partial<NodePolicyReport>]>([
    ['of it alone', { selected: 1, podsDigest: digestOfPods(['of-db']) }],
    ['of one other alone', { selected: 1, podsDigest: digestOfPods(['gone']) }],
    ['of whom it does not tell', { selected: 2 }],
    ['of pods of another namespace', { ...another, namespace: 'web' }],
  ])('not asked for where the report speaks %s', async (_sentence, said) => {
    const answers = { [everywhere]: pods('db', 'web'), [here]: pods('db') };
    expect(await seen(answers, reportOn(team(90), said))).toEqual([[], [], []]);
  });
});

describe('of the agents', () => {
  const on = (node: string) => {
    const { metadata, ...pod } = rawPod({ namespace: 'keepalive-agent', name: `agent-of-${node}` });
    const labels = {
      'app.kubernetes.io/name': 'keepalive-operator',
      'app.kubernetes.io/component': 'agent',
    };
    return { ...pod, metadata: { ...metadata, uid: node, labels }, spec: { nodeName: node } };
  };
  const labelSelector = 'app.kubernetes.io/name=keepalive-operator,app.kubernetes.io/component=agent';
  const ofNode = { labelSelector, fieldSelector: 'spec.nodeName=n1', limit: '500' };
  const any = { labelSelector, limit: '1' };

  async function seen(...nodes: readonly string[]) {
    server.otherwise = (response, { path, query }) => {
      const { fieldSelector } = query;
      const isHome = path === '/api/v1/namespaces/keepalive-agent/pods';
      const pods = nodes
        .filter((node) => fieldSelector === undefined || fieldSelector === `spec.nodeName=${node}`)
        .slice(0, Number(query['limit']));
      const answer = path.endsWith('/clusterrolebindings')
        ? refused
        : json({
            metadata: { name: 'n1', uid: 'n', resourceVersion: '5' },
            ...{ resources: [{ name: 'keepalivepolicies' }], items: isHome ? pods.map(on) : [] },
          });
      return answer(response, { path, query } as Parameters<Answer>[1]);
    };
    const { agents } = await factsOfNode(cluster, 'n1');
    return {
      agents: agents.known ? agents.value.map(({ node }) => node) : agents.why,
      asked: server.asked
        .filter(({ path }) => path === '/api/v1/namespaces/keepalive-agent/pods')
        .map(({ query }) => query),
    };
  }

  test('only those of the node are asked for, where there is one', async () => {
    expect(await seen('n0', 'n1', 'n2')).toEqual({ agents: ['n1'], asked: [ofNode] });
  });

  test('one more tells whether there are any elsewhere', async () => {
    expect(await seen('n0', 'n2')).toEqual({ agents: ['n0'], asked: [ofNode, any] });
    expect((await seen()).agents).toEqual([]);
  });
});
