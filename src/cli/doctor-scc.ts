import type { KubeObject } from '../kube/resource.ts';
import { someOf } from '../policy/finding.ts';
import { agentSet } from './agent-pods.ts';
import type { Answer } from './cluster.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import type { Statement } from './explanation.ts';
import { fine, unknown, wrong } from './explanation.ts';

/** Who asks OpenShift for pods of a DaemonSet. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** SecurityContextConstraints, and whether each account may use them, in the order of the accounts. */
export interface Constraints {
  readonly object: KubeObject;
  readonly mayUse: ReadonlyMap<string, Answer<boolean>>;
}

/** As users and groups are written in constraints: whoever has made a pod is authenticated. */
export function identityOf({ namespace, name }: Account): { user: string; groups: readonly string[] } {
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}

/** Of each DaemonSet of agents. */
export function accountsOf(daemonSets: readonly KubeObject[]): Account[] {
  return daemonSets.filter(agentSet).map((one) => ({
    namespace: one.metadata.namespace ?? '',
    name: podOf(one).serviceAccountName ?? 'default',
  }));
}

/** Named by the constraints themselves; who is not may still be let by RBAC, by the verb use. */
export function isNamed(object: KubeObject, account: Account): boolean {
  const { users, groups } = object as Fields;
  const identity = identityOf(account);
  return (users ?? []).includes(identity.user) || (groups ?? []).some((one) => identity.groups.includes(one));
}

export function openShift({ constraints, daemonSets }: DoctorFacts): Statement[] {
  if (constraints === undefined) return [];
  const unread = [constraints, daemonSets].find((one) => !one.known);
  if (unread?.known === false) return [unknown(`whether OpenShift lets the agents run: ${unread.why}`)];
  if (!constraints.known || !daemonSets.known) return [];
  return daemonSets.value.filter(agentSet).map((one) => judged(one, constraints.value));
}

function judged(set: KubeObject, all: readonly Constraints[]): Statement {
  const [account = { namespace: '', name: '' }] = accountsOf([set]);
  const { user } = identityOf(account);
  const pod = podOf(set);
  const each = all.map(({ object, mayUse }) => ({
    name: object.metadata.name,
    forbidden: rules.flatMap((rule) => rule(pod, object as Fields) ?? []),
    may: mayUse.get(user),
  }));
  const [allowing, usable] = [
    each.filter(({ forbidden }) => forbidden.length === 0),
    each.filter(({ may }) => may?.known && may.value),
  ];
  const both = allowing.filter((one) => usable.includes(one));
  if (both.length > 0)
    return fine(`OpenShift lets the agents run, by ${title} ${someOf(both.map(({ name }) => name))}`);
  const unseen = allowing.find(({ may }) => may?.known === false)?.may;
  if (unseen?.known === false) return unknown(`whether OpenShift lets the agents run: ${unseen.why}`);
  const [closest] = usable.sort((a, b) => a.forbidden.length - b.forbidden.length);
  const words = `OpenShift refuses the agents: service account ${account.namespace}/${account.name} may use no ${title} that allow them`;
  return wrong(
    closest === undefined ? words : `${words}: ${closest.name} forbids ${closest.forbidden.join(', ')}`,
    remedy(
      allowing.map(({ name }) => name),
      { account, closest: closest?.name },
    ),
  );
}

const title = 'SecurityContextConstraints';
const usual = 'privileged';

function remedy(
  allowing: readonly string[],
  { account: { namespace, name }, closest = usual }: { account: Account; closest?: string | undefined },
): string {
  const scc = allowing.includes(usual) ? usual : allowing[0];
  return scc === undefined
    ? `have ${closest} allow it: oc edit scc ${closest}`
    : `take the component openshift of deploy/components into your overlay (in the chart openshift.enabled), or: oc adm policy add-scc-to-user ${scc} -z ${name} -n ${namespace}`;
}

interface SeLinux {
  readonly type?: string;
  readonly level?: string;
  readonly role?: string;
  readonly user?: string;
}

interface SecurityContext {
  readonly runAsUser?: number;
  readonly privileged?: boolean;
  readonly seccompProfile?: { readonly type: string; readonly localhostProfile?: string };
  readonly seLinuxOptions?: SeLinux;
  readonly capabilities?: { readonly add?: readonly string[] };
}

interface Pod {
  readonly serviceAccountName?: string;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly hostNetwork?: boolean;
  readonly securityContext?: SecurityContext;
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

interface Container {
  readonly securityContext?: SecurityContext;
}

/** What is read of constraints; a list may be null. */
interface Fields {
  readonly users?: readonly string[] | null;
  readonly groups?: readonly string[] | null;
  readonly allowHostPID?: boolean;
  readonly allowHostIPC?: boolean;
  readonly allowHostNetwork?: boolean;
  readonly allowHostDirVolumePlugin?: boolean;
  readonly allowPrivilegedContainer?: boolean;
  readonly allowedCapabilities?: readonly string[] | null;
  readonly defaultAddCapabilities?: readonly string[] | null;
  readonly volumes?: readonly string[] | null;
  readonly seccompProfiles?: readonly string[] | null;
  readonly runAsUser?: { readonly type?: string; readonly uid?: number } & Range;
  readonly seLinuxContext?: { readonly type?: string; readonly seLinuxOptions?: SeLinux };
}

interface Range {
  readonly uidRangeMin?: number;
  readonly uidRangeMax?: number;
}

function podOf({ spec }: KubeObject): Pod {
  return (spec as { template?: { spec?: Pod } } | undefined)?.template?.spec ?? {};
}

/** What each container runs by, where its own word stands before that of the pod. */
function contextsOf({ securityContext, containers = [], initContainers = [] }: Pod): SecurityContext[] {
  return [...initContainers, ...containers].map((one) => ({ ...securityContext, ...one.securityContext }));
}

/** What a pod asks for that constraints do not allow, and which field of theirs says so (github.com/openshift/apiserver-library-go, sccmatching/provider.go). */
const rules: readonly ((pod: Pod, constraints: Fields) => string | undefined)[] = [
  ({ hostPID }, { allowHostPID }) => (hostPID && !allowHostPID ? 'hostPID (allowHostPID)' : undefined),
  ({ hostIPC }, { allowHostIPC }) => (hostIPC && !allowHostIPC ? 'hostIPC (allowHostIPC)' : undefined),
  ({ hostNetwork }, { allowHostNetwork }) =>
    hostNetwork && !allowHostNetwork ? 'hostNetwork (allowHostNetwork)' : undefined,
  ({ volumes = [] }, { allowHostDirVolumePlugin }) =>
    volumes.some((one) => 'hostPath' in one) && !allowHostDirVolumePlugin
      ? 'hostPath volumes (allowHostDirVolumePlugin)'
      : undefined,
  otherVolumes,
  (pod, { allowPrivilegedContainer }) =>
    contextsOf(pod).some(({ privileged }) => privileged) && !allowPrivilegedContainer
      ? 'privileged containers (allowPrivilegedContainer)'
      : undefined,
  capabilities,
  users,
  seLinux,
  seccomp,
];

/** Whichever it has, every pod is given a projected one, with its token. */
function otherVolumes({ volumes = [] }: Pod, { volumes: allowed }: Fields): string | undefined {
  // No list allows all.
  if (allowed === undefined || allowed === null || allowed.includes('*')) return undefined;
  const kinds = volumes
    .flatMap((one) => Object.keys(one))
    .filter((one) => !['name', 'hostPath'].includes(one));
  const token = allowed.includes('secret') ? [] : ['projected'];
  const forbidden = [...new Set([...kinds, ...token])].filter((one) => !allowed.includes(one));
  return forbidden.length === 0 ? undefined : `${forbidden.join(' and ')} volumes (volumes)`;
}

function capabilities(pod: Pod, { allowedCapabilities, defaultAddCapabilities }: Fields): string | undefined {
  const allowed = [...(allowedCapabilities ?? []), ...(defaultAddCapabilities ?? [])];
  if (allowed.includes('*')) return undefined;
  const added = contextsOf(pod).flatMap((one) => one.capabilities?.add ?? []);
  const forbidden = [...new Set(added)].filter((one) => !allowed.includes(one));
  return forbidden.length === 0 ? undefined : `${forbidden.join(', ')} (allowedCapabilities)`;
}

function users(pod: Pod, { runAsUser = {} }: Fields): string | undefined {
  const wanted = contextsOf(pod).flatMap((one) => one.runAsUser ?? []);
  const forbidden = wanted.find((uid) => !mayRunAs(uid, runAsUser));
  return forbidden === undefined ? undefined : `user ${forbidden} (runAsUser)`;
}

function mayRunAs(uid: number, { type, uid: only, ...range }: NonNullable<Fields['runAsUser']>): boolean {
  if (type === 'MustRunAs') return uid === only;
  if (type === 'MustRunAsNonRoot') return uid !== 0;
  // Without a range it is the one of the namespace, which never has root in it.
  if (type === 'MustRunAsRange') return uid >= (range.uidRangeMin ?? 1) && uid <= (range.uidRangeMax ?? 0);
  return type === 'RunAsAny';
}

function seLinux(pod: Pod, { seLinuxContext }: Fields): string | undefined {
  if (seLinuxContext?.type === 'RunAsAny') return undefined;
  const parts = ['type', 'level', 'role', 'user'] as const;
  // Without options they are those of the namespace, whose level no pod here names.
  const only = seLinuxContext?.seLinuxOptions ?? { level: 'of the namespace' };
  const forbidden = contextsOf(pod)
    .flatMap((one) => one.seLinuxOptions ?? [])
    .find((wanted) => parts.some((part) => (wanted[part] ?? '') !== (only[part] ?? '')));
  return forbidden === undefined ? undefined : `SELinux type ${forbidden.type} (seLinuxContext)`;
}

function seccomp(pod: Pod, { seccompProfiles }: Fields): string | undefined {
  const allowed = seccompProfiles ?? [];
  if (allowed.includes('*')) return undefined;
  const profiles = contextsOf(pod).flatMap(({ seccompProfile: one }) =>
    one === undefined ? [] : profileName(one),
  );
  const forbidden = profiles.find((names) => !names.some((one) => allowed.includes(one)));
  return forbidden === undefined ? undefined : `seccomp profile ${forbidden[0]} (seccompProfiles)`;
}

/** As constraints write it; of what the runtime has, an older name holds too. */
function profileName({
  type,
  localhostProfile = '',
}: NonNullable<SecurityContext['seccompProfile']>): string[][] {
  if (type === 'RuntimeDefault') return [['runtime/default', 'docker/default']];
  return [[type === 'Localhost' ? `localhost/${localhostProfile}` : 'unconfined']];
}
