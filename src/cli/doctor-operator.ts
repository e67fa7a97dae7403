import type { NodeKeepaliveStatus } from '../api/node-keepalive.ts';
import { isComponent } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';
import { daemonSetRecord } from '../policy/daemonset.ts';
import { someOf } from '../policy/finding.ts';
import { mayBeOn } from '../policy/placement.ts';
import { oneLine, shortened } from '../policy/words.ts';
import { agentPod } from './agent-pods.ts';
import { valueOr } from './cluster.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import { again } from './doctor-installation.ts';
import { podTroubles } from './doctor-pods.ts';
import type { Statement } from './explanation.ts';
import { fine, note, unknown, wrong } from './explanation.ts';
import { leaseNames } from './lease-name.ts';

interface Counted {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly currentNumberScheduled?: number;
    readonly numberReady?: number;
  };
}

const ours = (component: 'controller' | 'agent') => (object: KubeObject) =>
  isComponent(component, object.metadata.labels);

export function controller(facts: DoctorFacts): Statement[] {
  const { deployments } = facts;
  if (!deployments.known) return [unknown(`whether the controller runs: ${deployments.why}`)];
  const found = deployments.value.filter(ours('controller'));
  if (found.length === 0)
    return [
      wrong(
        `there is no controller in ${facts.homes.length === 0 ? 'any namespace' : facts.homes.join(', ')}: no policy is looked at`,
        again(facts),
      ),
    ];
  return [...found.flatMap((one) => replicas(one, facts)), ...acting(found, facts)];
}

function replicas(object: KubeObject, facts: DoctorFacts): Statement[] {
  const { spec, status } = object as Counted;
  const { name, namespace = '' } = object.metadata;
  const [wanted, ready] = [spec?.replicas ?? 1, status?.readyReplicas ?? 0];
  if (ready >= wanted && wanted > 0) return [fine(`${ready} of ${wanted} replicas of ${name} are ready`)];
  const text = `${ready} of ${wanted} replicas of the controller (${namespace}/${name}) are ready`;
  if (wanted === 0) return [wrong(text, `kubectl -n ${namespace} scale deployment ${name} --replicas=2`)];
  return troubled(text, { facts, namespace, name, component: 'controller' });
}

/** A Lease that nobody renews: replicas run, and none of them acts. */
function acting(controllers: readonly KubeObject[], { leases, server }: DoctorFacts): Statement[] {
  if (!leases.known) return [unknown(`whether a controller acts: ${leases.why}`)];
  const nowMs = server.known ? server.value.dateMs : undefined;
  if (nowMs === undefined)
    return [unknown('whether a controller acts: the API server does not say what time it has')];
  return [...leaseNames(controllers)].map((name) => {
    if (name === undefined)
      return unknown(
        'whether a controller acts: the name of its Lease (LEASE_NAME) is not in its Deployment but where `valueFrom`, `envFrom` or `$(VARIABLE)` leads to',
      );
    const found = leases.value.find(({ metadata }) => metadata.name === name);
    return renewal(name, found?.spec ?? {}, nowMs);
  });
}

interface RawLease {
  readonly holderIdentity?: string;
  readonly renewTime?: string;
  readonly leaseDurationSeconds?: number;
}

function renewal(
  name: string,
  { holderIdentity, renewTime, leaseDurationSeconds = 15 }: RawLease,
  nowMs: number,
): Statement {
  if (renewTime === undefined)
    return wrong(`no controller has taken the Lease ${name}, so none acts`, 'see the log of the controller');
  const silentSeconds = Math.round((nowMs - Date.parse(renewTime)) / 1000);
  return silentSeconds <= 2 * leaseDurationSeconds
    ? fine(`${holderIdentity ?? 'one of them'} acts`)
    : wrong(
        `the Lease ${name} was renewed ${silentSeconds} s ago the last time, so no controller acts (or the clock of its node is slow)`,
        'see the log of the controller',
      );
}

interface Troubled {
  readonly facts: DoctorFacts;
  readonly namespace: string;
  readonly name: string;
  readonly component: 'controller' | 'agent';
}

/** What its pods, or the events about those that could not be made, say of it. */
function troubled(text: string, { facts, namespace, name, component }: Troubled): Statement[] {
  const pods = valueOr(facts.pods, []).filter(ours(component));
  const reasons = [...podTroubles(pods), ...refusals(facts, name)];
  const todo = reasons.some(({ is }) => is === 'wrong')
    ? 'do what is said of its pods here'
    : `kubectl -n ${namespace} describe pods: it is not told here`;
  return [wrong(text, todo), ...reasons];
}

/** The newest words about pods that something could not make; of a Deployment its ReplicaSets say them. */
function refusals(facts: DoctorFacts, name: string): Statement[] {
  const { events } = facts;
  if (!events.known) return [unknown(`why its pods are not made: ${events.why}`)];
  const about = events.value.filter(({ involvedObject }) => {
    const { name: of = '' } = (involvedObject ?? {}) as { name?: string };
    return of === name || of.startsWith(`${name}-`);
  });
  const newest = about.sort((a, b) => timeOf(b) - timeOf(a))[0];
  if (newest === undefined) return [];
  const words = shortened(oneLine(typeof newest.message === 'string' ? newest.message : ''), 400);
  return [wrong(`pods of ${name} cannot be made: ${words}`, remedyOf(words, facts))];
}

function timeOf({ metadata, lastTimestamp, eventTime, series }: KubeObject): number {
  const { lastObservedTime } = (series ?? {}) as { lastObservedTime?: unknown };
  const texts = [lastObservedTime, lastTimestamp, eventTime, metadata.creationTimestamp];
  return Date.parse(String(texts.find((text) => typeof text === 'string'))) || 0;
}

const remedies: readonly (readonly [words: RegExp, remedy: (facts: DoctorFacts) => string])[] = [
  [
    /insufficient quota to match these scopes|exceeded quota|forbidden: .*quota/i,
    (facts) =>
      'bring back the ResourceQuota that lets pods of system-node-critical run in the namespace of the agents, or raise the quota that refuses: ' +
      again(facts, { value: 'agent.resourceQuota.enabled=true' }),
  ],
  [
    /violates PodSecurity/,
    (facts) =>
      'kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged --overwrite, of the namespace of the agents; or do without them: ' +
      again(facts, { component: 'controller-only', value: 'agent.enabled=false' }),
  ],
  [
    /security context constraint/,
    (facts) =>
      `give the agents the constraints privileged: ${again(facts, { component: 'openshift', value: 'openshift.enabled=true' })}`,
  ],
  [
    /admission webhook|ValidatingAdmissionPolicy/,
    () => 'have it let the pods of the namespaces of the operator pass',
  ],
];

function remedyOf(words: string, facts: DoctorFacts): string {
  return (
    remedies.find(([pattern]) => pattern.test(words))?.[1](facts) ??
    'do what it says, then wait: it is tried again and again'
  );
}

export function agents(facts: DoctorFacts): Statement[] {
  const { daemonSets, reports } = facts;
  if (!daemonSets.known) return [unknown(`whether agents are meant to run: ${daemonSets.why}`)];
  const found = daemonSets.value.filter((one) => daemonSetRecord(one).isOfAgents);
  if (found.length > 0) return [...found.flatMap((one) => daemonSet(one, facts)), ...uncovered(found, facts)];
  const count = valueOr(reports, []).length;
  return count === 0
    ? [
        note(
          'no node agents are installed: new pods get their values, running ones and nodes keep theirs, connections are not counted',
        ),
      ]
    : [
        wrong(
          `${count} nodes have a NodeKeepalive, and there is no DaemonSet of agents`,
          `${again(facts, { value: 'agent.enabled=true' })}; where no agents are wanted: kubectl delete nka --all`,
        ),
      ];
}

function daemonSet(object: KubeObject, facts: DoctorFacts): Statement[] {
  const { name, namespace = '' } = object.metadata;
  const { desiredNumberScheduled: wanted = 0, numberReady: ready = 0 } = (object as Counted).status ?? {};
  if (ready >= wanted) return [fine(`${ready} of ${wanted} agents are ready`)];
  return troubled(`${ready} of ${wanted} agents (${namespace}/${name}) are ready`, {
    facts,
    namespace,
    name,
    component: 'agent',
  });
}

/** Nodes that agents are meant for and that have none, and nodes that they are not meant for. */
function uncovered(sets: readonly KubeObject[], { nodes, pods }: DoctorFacts): Statement[] {
  if (!nodes.known) return [unknown(`whether every node has an agent: ${nodes.why}`)];
  if (!pods.known) return [unknown(`whether every node has an agent: ${pods.why}`)];
  const placements = sets.map((one) => daemonSetRecord(one).placement);
  const served = new Set(pods.value.flatMap((one) => agentPod(one)?.node ?? []));
  const without = nodes.value
    .map(({ metadata }) => ({ name: metadata.name, labels: metadata.labels ?? {} }))
    .filter(({ name }) => !served.has(name));
  const [meant, others] = [true, false].map((is) =>
    without.filter((node) => placements.some((placement) => mayBeOn(placement, node)) === is),
  ) as [typeof without, typeof without];
  return [
    ...(meant.length === 0
      ? []
      : [
          wrong(
            `no agent is on ${someOf(meant.map(({ name }) => name))}`,
            'see what is said of the DaemonSet here; a taint that it does not tolerate is another reason',
          ),
        ]),
    ...(others.length === 0
      ? []
      : [
          note(
            `agents are not meant for ${someOf(others.map(({ name }) => name))}: running pods there are judged by their specs`,
          ),
        ]),
  ];
}

/** What agents say of the nodes themselves. */
export function nodeReports({ reports, pods, version }: DoctorFacts): Statement[] {
  if (!reports.known) return [unknown(`what nodes report: ${reports.why}`)];
  const unseen = pods.known ? [] : [unknown(`whether every agent reports: ${pods.why}`)];
  const all = reports.value.map(({ metadata, status }) => ({
    name: metadata.name,
    ...((status ?? {}) as NodeKeepaliveStatus),
  }));
  const reporting = new Set(all.map(({ name }) => name));
  const agentsReady = valueOr(pods, [])
    .flatMap((one) => agentPod(one) ?? [])
    .filter(({ isReady }) => isReady);
  const silent = agentsReady.flatMap(({ node }) => (node === undefined || reporting.has(node) ? [] : [node]));
  const unreached = all.filter(({ connections }) => connections?.by === 'ValuesOnly');
  const other = all.filter(({ agentVersion }) => version !== 'development' && agentVersion !== version);
  return [
    ...(silent.length === 0
      ? []
      : [wrong(`the agents of ${someOf(silent)} are ready and have reported nothing`, 'see their logs')]),
    ...unreached.map(({ name, connections }) =>
      wrong(
        `on node ${name} open connections are not reached: ${connections?.why ?? 'it does not say why'}`,
        'docs/how-it-works.md#3-open-connections says what a node needs',
      ),
    ),
    ...(other.length === 0
      ? []
      : [
          note(
            `the agents of ${someOf(other.map(({ name, agentVersion = '?' }) => `${name} (${agentVersion})`))} are of another version than this tool (${version})`,
          ),
        ]),
    ...unseen,
    ...(silent.length + unreached.length + unseen.length === 0 && all.length > 0
      ? [fine(`${all.length} nodes report, and reach open connections`)]
      : []),
  ];
}
