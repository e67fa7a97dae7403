import { stringify } from 'yaml';

export const nat = { name: 'office-nat', type: 'NAT', idleTimeoutSeconds: 90 };

export const policy = (spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'keepalive.dev/v1alpha1',
  kind: 'KeepalivePolicy',
  metadata: { name: 'behind-the-nat', namespace: 'db', ...metadata },
  spec: { podSelector: { matchLabels: { app: 'mongo' } }, path: [nat], ...spec },
});
export const cluster = (spec: object = {}) => ({
  apiVersion: 'keepalive.dev/v1alpha1',
  kind: 'ClusterKeepalivePolicy',
  metadata: { name: 'platform' },
  spec: { podSelector: {}, path: [{ ...nat, idleTimeoutSeconds: 350 }], ...spec },
});
export const deployment = (spec: object = {}, namespace = 'db') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'mongo', namespace },
  spec: { template: { metadata: { labels: { app: 'mongo' } }, spec } },
});
export const runtimeClass = (name: string, os: string) => ({
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name },
  handler: name,
  scheduling: { nodeSelector: { 'kubernetes.io/os': os } },
});
export const declaring = (...sysctls: object[]) => ({ securityContext: { sysctls } });
export const time = { name: 'net.ipv4.tcp_keepalive_time', value: '30' };
export const pinned = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: 'db',
    labels: {
      'pod-security.kubernetes.io/enforce': 'baseline',
      'pod-security.kubernetes.io/enforce-version': 'v1.28',
    },
  },
};
export const settings = (data: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'keepalive-settings', namespace: 'keepalive-system', ...metadata },
  data,
});
/** Manifests as somebody writes them into one file; to kubectl, yes without quotes is true. */
export const yaml = (...objects: object[]) =>
  objects.map((object) => stringify(object, { aliasDuplicateObjects: false, version: '1.1' })).join('---\n');
