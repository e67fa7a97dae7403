import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { NodePolicyReport } from '../../src/api/node-keepalive.ts';
import { nodeKeepaliveStatusSchema } from '../../src/api/node-keepalive.ts';
import { AGENT_NAME } from '../../src/api/group.ts';
import type { PolicyStatus } from '../../src/api/status.ts';
import { agentsRecord, podRecord, type StoredPod } from '../../src/controller/record.ts';
import type { ApiClient } from '../../src/kube/client.ts';
import { isUnavailable, retryAfterMs } from '../../src/kube/errors.ts';
import type { KubeObject, Resource } from '../../src/kube/resource.ts';
import { keyOf } from '../../src/kube/resource.ts';
import { resources } from '../../src/controller/resource.ts';
import { believable } from '../../src/policy/believable.ts';
import { mayBeOn } from '../../src/policy/placement.ts';
import { defaultSettings } from '../../src/api/settings.ts';
import type { NamespaceView } from '../../src/policy/pod.ts';
import type { EffectivePolicy } from '../../src/policy/policy.ts';
import type { PolicyRecord } from '../../src/policy/record.ts';
import { labelledRecord, policyRecord } from '../../src/policy/record.ts';
import { thoseThatMayAct } from '../../src/policy/withheld.ts';
import { givenSince } from '../../src/policy/withholding.ts';
import type { Assessment } from '../support/recount.ts';
import { recount } from '../support/recount.ts';
import type { PlainFacts } from '../support/recount-nodes.ts';

/** Everything that statuses depend on, as the API server has it. */
interface Seen {
  readonly policies: readonly PolicyRecord[];
  readonly facts: PlainFacts;
  readonly namespaces: readonly NamespaceView[];
  readonly podsIn: ReadonlyMap<string, readonly StoredPod[]>;
}

/** Of a page: a busy API server gives up after a minute, and reports are a hundred times as large as nodes. */
const mostPerPage = 1000;
const mostReportsPerPage = 200;

async function listed<T>(
  client: ApiClient,
  resource: Resource,
  trim: (object: KubeObject) => T,
): Promise<T[]> {
  const limit = resource === resources.nodekeepalives ? mostReportsPerPage : mostPerPage;
  const all: T[] = [];
  let token: string | undefined;
  do {
    const page = await patiently(() =>
      client.listPage(resource, { limit, continue: token }, { timeoutMs: 120_000 }),
    );
    for (const item of page.items) all.push(trim(item));
    token = page.metadata.continue || undefined;
  } while (token !== undefined);
  return all;
}

/** In a storm a server may have too much to do: whoever counts waits, and the same page is asked for again. */
async function patiently<T>(read: () => Promise<T>): Promise<T> {
  for (let left = 30; ; left -= 1) {
    try {
      return await read();
    } catch (error) {
      if (left === 0 || !isUnavailable(error)) throw error;
      await delay(Math.max(2000, retryAfterMs(error)));
    }
  }
}

/** Policies last: a status that is newer than what it was made from would else be taken for wrong. */
export async function look(client: ApiClient): Promise<Seen> {
  const pods = await listed(client, resources.pods, (object) => podRecord(object, AGENT_NAME));
  const nodes = await listed(client, resources.nodes, labelledRecord);
  const reports = await listed(client, resources.nodekeepalives, reportOf);
  const daemonSets = await listed(
    client,
    { ...resources.daemonsets, namespace: AGENT_NAME } as Resource,
    agentsRecord,
  );
  const namespaces = await listed(client, resources.namespaces, labelledRecord);
  const policies = await lookAtPolicies(client);
  const podsIn = Map.groupBy(pods, ({ namespace }) => namespace);
  return { policies, namespaces, podsIn, facts: factsOf({ pods, nodes, reports, daemonSets }) };
}

async function lookAtPolicies(client: ApiClient): Promise<PolicyRecord[]> {
  const of = (kind: PolicyRecord['kind'], resource: Resource) =>
    listed(client, resource, (object) => policyRecord(kind, object));
  return [
    ...(await of('KeepalivePolicy', resources.keepalivepolicies)),
    ...(await of('ClusterKeepalivePolicy', resources.clusterkeepalivepolicies)),
  ];
}

interface Report {
  readonly node: string;
  readonly said: ReadonlyMap<string, NodePolicyReport>;
  readonly shortened: NonNullable<ReturnType<PlainFacts['shortenedOn']>>[];
}

function reportOf({ metadata, status }: KubeObject): Report {
  const { policies = [], shortened = [] } = nodeKeepaliveStatusSchema.parse(status ?? {});
  return {
    node: metadata.name,
    said: new Map(policies.map((one) => [keyOf(one), believable(one)])),
    shortened,
  };
}

interface Parts {
  readonly pods: readonly StoredPod[];
  readonly nodes: readonly NamespaceView[];
  readonly reports: readonly Report[];
  readonly daemonSets: readonly ReturnType<typeof agentsRecord>[];
}

function factsOf({
  pods,
  nodes,
  reports,
  daemonSets,
}: Parts): PlainFacts & { of(policy: string): PlainFacts } {
  const agents = pods.filter(({ agentReady }) => agentReady !== undefined);
  const ready = new Set(agents.filter(({ agentReady }) => agentReady).map(({ node }) => node));
  const byNode = new Map(reports.map((one) => [one.node, one]));
  const views = new Map(nodes.map((node) => [node.name, node]));
  const sets = daemonSets.filter((one) => one !== undefined);
  const of = (policy: string): PlainFacts => ({
    ...{ anyAgent: agents.length > 0, agentsMissing: undefined, nodes },
    isServed: (name) => {
      const node = views.get(name);
      return (
        node === undefined || sets.length === 0 || sets.some(({ placement }) => mayBeOn(placement, node))
      );
    },
    isReporting: (node) => ready.has(node) && byNode.has(node),
    reportOf: (node) => byNode.get(node)?.said.get(policy),
    shortenedOn: (node) =>
      byNode.get(node)?.shortened.find(({ namespace = '' }) => namespace === namespaceOf(policy)),
  });
  return { ...of(''), of };
}

const namespaceOf = (policy: string) => (policy.includes('/') ? policy.slice(0, policy.indexOf('/')) : '');
const keyOfPolicy = ({ name, namespace }: PolicyRecord) => keyOf({ name, namespace: namespace || undefined });

function expected(record: PolicyRecord, { policies, facts, namespaces, podsIn }: Seen): Assessment {
  const { namespace } = record;
  const near = policies.filter(
    (one) => one.namespace === '' || namespace === '' || one.namespace === namespace,
  );
  const acting = [...thoseThatMayAct(near, defaultSettings)];
  const policy = acting.find(({ uid }) => uid === record.uid)?.policy;
  if (policy?.effective === undefined) throw new Error(`${keyOfPolicy(record)} does not act`);
  const here = namespace === '' ? namespaces : namespaces.filter(({ name }) => name === namespace);
  return recount(policy as EffectivePolicy, {
    ...{ generation: record.generation, givenSince: givenSince(record) },
    neighbourhoods: here.map((view) => ({ namespace: view, pods: podsIn.get(view.name) ?? [] })),
    others: acting.filter(({ uid }) => uid !== record.uid).flatMap((one) => one.policy ?? []),
    facts: (facts as ReturnType<typeof factsOf>).of(keyOfPolicy(record)),
  });
}

/** The parts of a status that tell what was counted; of conditions, whether they hold and of which generation. */
function told({
  observedGeneration,
  pods,
  nodes,
  hosts,
  connections,
  conditions = [],
  ...status
}: PolicyStatus) {
  const standing = (name: string) => conditions.find(({ type }) => type === name)?.status;
  const { findings = [], findingsTotal = 0 } = status;
  return {
    ...{ observedGeneration, pods, nodes, hosts, connections, findings, findingsTotal },
    ...{ ready: standing('Ready'), covered: standing('Covered') },
  };
}

function shouldBeTold(record: PolicyRecord, { awaited: _, coverage, ...counted }: Assessment) {
  return { ...counted, observedGeneration: record.generation, ready: 'True', covered: coverage.status };
}

export interface Difference {
  readonly policy: string;
  readonly told: object;
  readonly expected: object;
}

/** Policies whose status is not what a plain count of everything gives. */
export function differences(seen: Seen): Difference[] {
  return seen.policies.flatMap((record) =>
    differenceOf(record, shouldBeTold(record, expected(record, seen))),
  );
}

const plain = (value: object) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

/** By policy, what its status has to tell. */
export function dueIn(seen: Seen): Map<string, object> {
  return new Map(
    seen.policies.map((record) => [keyOfPolicy(record), plain(shouldBeTold(record, expected(record, seen)))]),
  );
}

export function isTold(record: PolicyRecord, due: ReadonlyMap<string, object>): boolean {
  return isDeepStrictEqual(plain(told(record.status)), due.get(keyOfPolicy(record)));
}

function differenceOf(record: PolicyRecord, should: object): Difference[] {
  const [is, due] = [plain(told(record.status)), plain(should)];
  if (isDeepStrictEqual(is, due)) return [];
  const fields = [...new Set([...Object.keys(is), ...Object.keys(due)])].filter(
    (field) => !isDeepStrictEqual(is[field], due[field]),
  );
  const only = (of: Record<string, unknown>) => Object.fromEntries(fields.map((field) => [field, of[field]]));
  return [{ policy: keyOfPolicy(record), told: only(is), expected: only(due) }];
}
