import type { KindName } from '../api/group.ts';
import { VERSION } from '../api/group.ts';
import { crdOf, kinds } from '../api/crd.ts';
import type { KubeObject } from '../kube/resource.ts';
import { clusterBinding, clusterBindingName } from '../policy/admission.ts';
import { firstDifference } from '../policy/difference.ts';
import { someOf } from '../policy/finding.ts';
import type { AdmissionDifference } from '../policy/installation.ts';
import {
  admissionDifference,
  fenceAround,
  installationFor,
  staticAdmission,
  witnessFault,
} from '../policy/installation.ts';
import type { PolicyRecord } from '../policy/record.ts';
import type { Answer } from './cluster.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import { again, kindsAgain, kindsOfItsVersion } from './doctor-installation.ts';
import { placesIn } from './doctor-places.ts';
import type { Statement } from './explanation.ts';
import { fine, unknown, wrong } from './explanation.ts';
import { admissionByWebhook, isByWebhook } from './doctor-webhook.ts';

/** The oldest that the webhook is for. */
const oldestMinor = 33;

export function kubernetesVersion({ server }: DoctorFacts): Statement[] {
  if (!server.known) return [unknown(`which version Kubernetes is: ${server.why}`)];
  const { gitVersion } = server.value;
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  if (major === '') return [unknown(`which version Kubernetes is: it calls itself ${gitVersion}`)];
  return Number(major) > 1 || Number(minor) >= oldestMinor
    ? [fine(`Kubernetes is ${gitVersion}`)]
    : [
        wrong(
          `Kubernetes is ${gitVersion}, and nothing of this was tried before 1.${oldestMinor}`,
          `upgrade the control plane to Kubernetes 1.${oldestMinor} or later`,
        ),
      ];
}

const kindNames = Object.keys(kinds) as KindName[];

export function definitions(facts: DoctorFacts): Statement[] {
  return kindNames.map((kind) => definition(kind, facts));
}

function definition(kind: KindName, facts: DoctorFacts): Statement {
  const { crds, ownKinds, version } = facts;
  const found = crds[kind];
  const isServed = ownKinds.known ? ownKinds.value.includes(kinds[kind].plural) : undefined;
  if (isServed === false || (found.known && found.value === undefined))
    return wrong(`the CustomResourceDefinition of ${kind} is not installed`, kindsAgain(facts));
  if (!found.known)
    return unknown(`whether the CustomResourceDefinition of ${kind} is of this version: ${found.why}`);
  const field = firstDifference(schemaIn(found.value ?? {}), schemaIn(crdOf(kinds[kind])), 'schema');
  return field === undefined
    ? fine(`the CustomResourceDefinition of ${kind} is installed and of this version`)
    : wrong(
        `the CustomResourceDefinition of ${kind} differs in ${field} from that of keepalive ${version}`,
        kindsOfItsVersion(facts),
      );
}

interface Definition {
  readonly spec?: {
    readonly versions?: readonly {
      readonly name: string;
      readonly schema?: { readonly openAPIV3Schema?: unknown };
    }[];
  };
}

function schemaIn(definition: object): unknown {
  const { versions = [] } = (definition as Definition).spec ?? {};
  return versions.find(({ name }) => name === VERSION)?.schema?.openAPIV3Schema;
}

export function admission(facts: DoctorFacts): Statement[] {
  if (isByWebhook(facts)) return admissionByWebhook(facts);
  const { mutatingPolicies, mutatingBindings } = facts;
  if (!mutatingPolicies.known) return [unknown(`whether admission is installed: ${mutatingPolicies.why}`)];
  if (!mutatingBindings.known) return [unknown(`whether admission is bound: ${mutatingBindings.why}`)];
  const installed = {
    policies: compared(mutatingPolicies.value, [...staticAdmission.policies, ...staticAdmission.witnesses]),
    bindings: compared(mutatingBindings.value, staticAdmission.bindings),
  };
  const faults = (['KeepalivePolicy', 'ClusterKeepalivePolicy'] as const).flatMap((kind) => {
    const { missing, differing } = installationFor(kind, installed);
    return [
      ...missing.map((object) =>
        wrong(`${object} is not installed, so new pods do not get the values of any ${kind}`, again(facts)),
      ),
      ...differing.map(({ object, field, by }) =>
        wrong(
          `${object} differs in ${field} from what this version installs: ${by === 'somebody' ? 'somebody edited it' : 'it is of another version'}`,
          again(facts),
        ),
      ),
    ];
  });
  const asked = witness(facts, installed.policies);
  const unbound = clusterBindings(facts.policies, mutatingBindings.value);
  const found = [...faults, ...asked, ...unbound];
  return found.length > 0
    ? found
    : [fine('admission is served, installed and bound as this version does it')];
}

type Compared = Map<string, { readonly differs: AdmissionDifference | undefined }>;

function compared(
  objects: readonly KubeObject[],
  among: Parameters<typeof admissionDifference>[1],
): Compared {
  return new Map(objects.map((one) => [one.metadata.name, { differs: admissionDifference(one, among) }]));
}

/** What the controller asks the API server by, before it calls a policy Ready. */
function witness(facts: DoctorFacts, policies: Compared): Statement[] {
  const { validatingPolicies, validatingBindings } = facts;
  if (!validatingPolicies.known)
    return [unknown(`whether the controller can ask for evidence: ${validatingPolicies.why}`)];
  if (!validatingBindings.known)
    return [unknown(`whether the controller can ask for evidence: ${validatingBindings.why}`)];
  const fence: Compared = new Map();
  for (const wanted of fenceAround(placesIn(facts).controller)) {
    const isPolicy = wanted.kind === 'ValidatingAdmissionPolicy';
    const among = isPolicy ? validatingPolicies.value : validatingBindings.value;
    const found = among.find(({ metadata }) => metadata.name === wanted.metadata.name);
    if (found !== undefined) fence.set(wanted.kind, { differs: admissionDifference(found, [wanted]) });
  }
  const faults = (['KeepalivePolicy', 'ClusterKeepalivePolicy'] as const).map((kind) =>
    witnessFault(kind, { policies, fence }),
  );
  return [...new Set(faults)]
    .filter((fault) => fault !== undefined)
    .map((fault) =>
      wrong(`${fault}, so it cannot be seen whether the API server acts by a policy`, again(facts)),
    );
}

/** Each cluster policy that acts on pods has a binding of its own, which the controller writes. */
function clusterBindings(
  policies: Answer<readonly PolicyRecord[]>,
  bindings: readonly KubeObject[],
): Statement[] {
  if (!policies.known) return [unknown(`whether every cluster policy is bound: ${policies.why}`)];
  const names = new Set(bindings.map(({ metadata }) => metadata.name));
  const unbound = policies.value.filter(({ kind, name, uid, policy }) => {
    if (kind !== 'ClusterKeepalivePolicy' || policy === undefined) return false;
    const wanted = clusterBinding({ name, uid, spec: policy.spec });
    return wanted !== undefined && !names.has(clusterBindingName(name));
  });
  if (unbound.length === 0) return [];
  const which = someOf(unbound.map(({ name }) => name));
  return [
    wrong(
      `there is no binding for ${which}, so new pods do not get the values`,
      'the controller writes them within seconds: see what is said of it here',
    ),
  ];
}
