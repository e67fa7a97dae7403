/** What says on OpenShift 4 who may run as what, as its own manifests have it (openshift/api, openshift/cluster-kube-apiserver-operator). */

const apiVersion = 'security.openshift.io/v1';
const kind = 'SecurityContextConstraints';
const plural = 'securitycontextconstraints';

/** Any field is kept, as far as it goes beyond what is asked here. */
export const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.security.openshift.io` },
  spec: {
    group: 'security.openshift.io',
    scope: 'Cluster',
    names: { kind, listKind: `${kind}List`, plural, singular: plural },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

export const privileged = {
  ...{ apiVersion, kind, metadata: { name: 'privileged' } },
  allowHostDirVolumePlugin: true,
  ...{ allowHostIPC: true, allowHostNetwork: true, allowHostPID: true, allowHostPorts: true },
  ...{ allowPrivilegeEscalation: true, allowPrivilegedContainer: true, allowedCapabilities: ['*'] },
  ...{ runAsUser: { type: 'RunAsAny' }, seLinuxContext: { type: 'RunAsAny' } },
  ...{ seccompProfiles: ['*'], volumes: ['*'] },
  groups: ['system:cluster-admins', 'system:nodes', 'system:masters'],
  users: ['system:admin', 'system:serviceaccount:openshift-infra:build-controller'],
};

/** What everybody may use, by RBAC. */
export const restricted = {
  ...{ apiVersion, kind, metadata: { name: 'restricted-v2' } },
  allowHostDirVolumePlugin: false,
  ...{ allowHostIPC: false, allowHostNetwork: false, allowHostPID: false, allowHostPorts: false },
  ...{ allowPrivilegeEscalation: false, allowPrivilegedContainer: false },
  ...{ allowedCapabilities: ['NET_BIND_SERVICE'], requiredDropCapabilities: ['ALL'] },
  ...{ runAsUser: { type: 'MustRunAsRange' }, seLinuxContext: { type: 'MustRunAs' } },
  seccompProfiles: ['runtime/default'],
  volumes: ['configMap', 'downwardAPI', 'emptyDir', 'persistentVolumeClaim', 'projected', 'secret'],
  ...{ groups: [], users: [] },
};

/** Who is bound to it may use the constraints. */
export const roleOf = ({ metadata: { name } }: { readonly metadata: { readonly name: string } }) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: `system:openshift:scc:${name}` },
  rules: [
    {
      ...{ apiGroups: ['security.openshift.io'], resources: [plural] },
      ...{ resourceNames: [name], verbs: ['use'] },
    },
  ],
});

export const bindingOfRestricted = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'system:openshift:scc:restricted-v2' },
  roleRef: {
    ...{ apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole' },
    name: 'system:openshift:scc:restricted-v2',
  },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:authenticated' }],
};
