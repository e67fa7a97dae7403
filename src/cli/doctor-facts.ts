import type { KindName } from '../api/group.ts';
import { GROUP, plurals, VERSION } from '../api/group.ts';
import type { SettingsReading } from '../api/settings.ts';
import type { KubeObject } from '../kube/resource.ts';
import { staticAdmission } from '../policy/installation.ts';
import type { PolicyRecord } from '../policy/record.ts';
import { homesOf, inEach } from './agent-pods.ts';
import type { Answer, Cluster } from './cluster.ts';
import { known, valueOr } from './cluster.ts';
import type { Account, Constraints } from './doctor-scc.ts';
import { accountsOf, identityOf, isNamed } from './doctor-scc.ts';
import { settingsIn } from './explain-facts.ts';
import { resources } from './resource.ts';
import { policiesLike } from './status-facts.ts';

type Objects = Answer<readonly KubeObject[]>;

/** All that is looked at; each as far as whoever asks may read it. */
export interface DoctorFacts {
  /** Of the tool. */
  readonly version: string;
  readonly nowMs: number;
  readonly server: Answer<{ readonly gitVersion: string; readonly dateMs: number | undefined }>;
  readonly ownKinds: Answer<readonly string[]>;
  readonly admissionKinds: Answer<readonly string[]>;
  /** By the kind that each defines; undefined: it is not installed. */
  readonly crds: Readonly<Record<KindName, Answer<KubeObject | undefined>>>;
  readonly mutatingPolicies: Objects;
  readonly mutatingBindings: Objects;
  /** Of new pods; undefined: it is not installed. */
  readonly webhook: Answer<KubeObject | undefined>;
  readonly validatingPolicies: Objects;
  readonly validatingBindings: Objects;
  readonly policies: Answer<readonly PolicyRecord[]>;
  readonly settings: Answer<SettingsReading>;
  readonly homes: readonly string[];
  readonly deployments: Objects;
  readonly daemonSets: Objects;
  readonly pods: Objects;
  /** Of pods that could not be made in those namespaces. */
  readonly events: Objects;
  readonly leases: Objects;
  readonly nodes: Objects;
  readonly reports: Objects;
  /** What kubelets renew every ten seconds, by the clock of their nodes. */
  readonly nodeLeases: Objects;
  readonly namespaces: Objects;
  /** With who of the agents may use them. Undefined: this is no OpenShift. */
  readonly constraints: Answer<readonly Constraints[]> | undefined;
  readonly kyvernoPolicies: Objects;
}

export async function doctorFacts(cluster: Cluster, version: string): Promise<DoctorFacts> {
  // First and alone: where nobody answers this ends it, and says so once.
  const server = await cluster.ask('read the version of the API server', () =>
    cluster.client.serverVersion(),
  );
  const homes = await homesOf(cluster);
  const inHomes = (resource: (typeof resources)[keyof typeof resources], fieldSelector?: string) =>
    inEach(homes, (namespace) =>
      cluster.list({ ...resource, namespace }, fieldSelector === undefined ? {} : { fieldSelector }),
    );
  const crd = (kind: KindName) =>
    cluster.get({ ...resources.customresourcedefinitions, name: `${plurals[kind]}.${GROUP}` });
  const [api, operator, others] = await Promise.all([
    allOf({
      ownKinds: cluster.kindsOf(GROUP, VERSION),
      admissionKinds: cluster.kindsOf('admissionregistration.k8s.io', 'v1'),
      mutatingPolicies: cluster.list(resources.mutatingadmissionpolicies),
      mutatingBindings: cluster.list(resources.mutatingadmissionpolicybindings),
      webhook: cluster.get({
        ...resources.mutatingwebhookconfigurations,
        name: staticAdmission.webhook.metadata.name,
      }),
      validatingPolicies: cluster.list(resources.validatingadmissionpolicies),
      validatingBindings: cluster.list(resources.validatingadmissionpolicybindings),
      policies: allPolicies(cluster),
      settings: settingsIn(cluster, homes),
    }),
    allOf({
      deployments: inHomes(resources.deployments),
      daemonSets: inHomes(resources.daemonsets),
      pods: inHomes(resources.pods),
      events: inHomes(resources.events, 'reason=FailedCreate'),
      leases: inHomes(resources.leases),
    }),
    allOf({
      nodes: cluster.list(resources.nodes),
      reports: cluster.list(resources.nodekeepalives),
      nodeLeases: cluster.list({ ...resources.leases, namespace: 'kube-node-lease' }),
      namespaces: cluster.list(resources.namespaces),
      kyvernoPolicies: kyverno(cluster),
    }),
  ]);
  const crds = await allOf({
    KeepalivePolicy: crd('KeepalivePolicy'),
    ClusterKeepalivePolicy: crd('ClusterKeepalivePolicy'),
    NodeKeepalive: crd('NodeKeepalive'),
  });
  const constraints = await openShift(cluster, accountsOf(valueOr(operator.daemonSets, [])));
  return { version, nowMs: Date.now(), server, homes, crds, ...api, ...operator, ...others, constraints };
}

async function allOf<T extends Record<string, Promise<unknown>>>(
  promises: T,
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  const entries = Object.entries(promises).map(async ([name, promise]) => [name, await promise] as const);
  return Object.fromEntries(await Promise.all(entries)) as { [K in keyof T]: Awaited<T[K]> };
}

async function allPolicies(cluster: Cluster): Promise<Answer<readonly PolicyRecord[]>> {
  const [namespaced, clusterWide] = await Promise.all([
    policiesLike(cluster, 'KeepalivePolicy'),
    policiesLike(cluster, 'ClusterKeepalivePolicy'),
  ]);
  if (!namespaced.known) return namespaced;
  return clusterWide.known ? known([...namespaced.value, ...clusterWide.value]) : clusterWide;
}

const scc = { group: 'security.openshift.io', version: 'v1', plural: 'securitycontextconstraints' } as const;

/** Undefined: this is no OpenShift. Who may use what is asked of the API server itself, where constraints do not say it. */
async function openShift(
  cluster: Cluster,
  accounts: readonly Account[],
): Promise<Answer<readonly Constraints[]> | undefined> {
  const kinds = await cluster.kindsOf(scc.group, scc.version);
  if (kinds.known && !kinds.value.includes(scc.plural)) return undefined;
  const all = await cluster.list(scc);
  if (!all.known) return all;
  return known(
    await Promise.all(
      all.value.map(async (object) => {
        const asked = accounts.map(
          async (one) => [identityOf(one).user, await mayUse(cluster, object, one)] as const,
        );
        return { object, mayUse: new Map(await Promise.all(asked)) };
      }),
    ),
  );
}

async function mayUse(cluster: Cluster, object: KubeObject, account: Account): Promise<Answer<boolean>> {
  if (isNamed(object, account)) return known(true);
  const { group, plural: resource } = scc;
  const resourceAttributes = {
    ...{ namespace: account.namespace, group, resource },
    ...{ name: object.metadata.name, verb: 'use' },
  };
  return cluster.ask('ask what others may do (create subjectaccessreviews)', async () => {
    const { status } = await cluster.client.create<{ status?: { allowed?: boolean } }>(
      resources.subjectaccessreviews,
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        metadata: {},
        spec: { ...identityOf(account), resourceAttributes },
      },
    );
    return status?.allowed === true;
  });
}

/** Of every version that is served; none where there is no Kyverno. */
async function kyverno(cluster: Cluster): Promise<Objects> {
  const groups = await Promise.all(
    (
      [
        ['kyverno.io', 'v1'],
        ['policies.kyverno.io', 'v1'],
        ['policies.kyverno.io', 'v1beta1'],
        ['policies.kyverno.io', 'v1alpha1'],
      ] as const
    ).map(async ([group, version]) => ({ group, version, kinds: await cluster.kindsOf(group, version) })),
  );
  const served = groups.flatMap(({ group, version, kinds }) =>
    (kinds.known ? kinds.value : [])
      .filter((plural) =>
        ['clusterpolicies', 'policies', 'validatingpolicies', 'namespacedvalidatingpolicies'].includes(
          plural,
        ),
      )
      .map((plural) => ({ group, version, plural })),
  );
  const lists = await Promise.all(served.map((target) => cluster.list(target)));
  const missing = lists.find((one) => !one.known);
  if (missing !== undefined) return missing;
  const all = lists.flatMap((one) => (one.known ? one.value : []));
  // The same object is served in every version of its group.
  return known([...new Map(all.map((one) => [one.metadata.uid, one])).values()]);
}
