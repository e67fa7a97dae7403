/** The command lines of the programs that make a cluster, each a function of the cluster's facts alone. */
import { join } from 'node:path';

import type { Family } from './addresses.ts';
import { addressing } from './addresses.ts';

export interface ComponentSpec {
  /** As people call it: `apiserver`, `n1/kubelet`. */
  readonly name: string;
  readonly host: string;
  readonly argv: readonly string[];
  /** A program that prepares the ground for `argv` and ends by exec of it. */
  readonly prefix?: readonly string[];
}

export interface Facts {
  /** The state folder. */
  readonly folder: string;
  readonly kubernetes: string;
  readonly nodes: readonly string[];
  readonly family: Family;
  /** There is a file that configures the admission of the API server. */
  readonly hasAdmissionFile?: boolean | undefined;
}

/** What --admission-control-config-file names, where somebody asked for one. */
export function admissionFile(folder: string): string {
  return join(folder, 'admission.yaml');
}

export function pkiFolder(folder: string): string {
  return join(folder, 'pki');
}

/** The part of the state folder that is one node's own. */
export function nodeFolder(folder: string, node: string): string {
  return join(folder, 'nodes', node);
}

/** A unix socket that speaks plain HTTP with an administrator's rights; works from outside the lab. */
export function apiSocketOf(folder: string): string {
  return join(folder, 'api.sock');
}

export function allComponents(facts: Facts): ComponentSpec[] {
  return [...controlPlane(facts), ...facts.nodes.flatMap((node, at) => nodeComponents(facts, node, at + 1))];
}

function controlPlane(facts: Facts): ComponentSpec[] {
  const { folder } = facts;
  const on = (name: string, argv: readonly string[]): ComponentSpec => ({ name, host: 'control', argv });
  return [
    on('etcd', etcd(folder)),
    on('apiserver', apiserver(facts)),
    on('controller-manager', controllerManager(folder)),
    on('scheduler', [
      'kube-scheduler',
      ...asUser(folder, 'scheduler'),
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
    ]),
    on('api-socket', apiSocket(folder)),
  ];
}

function etcd(folder: string): string[] {
  return [
    'etcd',
    `--data-dir=${join(folder, 'etcd')}`,
    // A test cluster has nothing to lose with the machine; this spares each write a disk flush.
    '--unsafe-no-fsync',
    // As large clusters have it: 2 GiB, the default, are full of reports of 5,000 nodes before they are compacted.
    '--quota-backend-bytes=8589934592',
    '--listen-client-urls=http://127.0.0.1:2379',
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:0',
    '--log-level=warn',
  ];
}

function apiserver({ folder, family, hasAdmissionFile = false }: Facts): string[] {
  const { server, services } = addressing(family);
  const file = (name: string) => join(pkiFolder(folder), name);
  return [
    'kube-apiserver',
    '--etcd-servers=http://127.0.0.1:2379',
    '--secure-port=6443',
    `--advertise-address=${server}`,
    `--service-cluster-ip-range=${services}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('tokens.pub')}`,
    `--service-account-signing-key-file=${file('tokens.key')}`,
    `--kubelet-client-certificate=${file('apiserver-kubelet.crt')}`,
    `--kubelet-client-key=${file('apiserver-kubelet.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--requestheader-client-ca-file=${file('front-ca.crt')}`,
    '--requestheader-allowed-names=system:auth-proxy',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${file('front-proxy.crt')}`,
    `--proxy-client-key-file=${file('front-proxy.key')}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    // Webhooks and extension servers in pods are reached by the pod's address: no kube-proxy runs beside us.
    '--enable-aggregator-routing=true',
    ...(hasAdmissionFile ? [`--admission-control-config-file=${admissionFile(folder)}`] : []),
  ];
}

function controllerManager(folder: string): string[] {
  const file = (name: string) => join(pkiFolder(folder), name);
  return [
    'kube-controller-manager',
    ...asUser(folder, 'controller-manager'),
    `--service-account-private-key-file=${file('tokens.key')}`,
    `--root-ca-file=${file('ca.crt')}`,
    `--cluster-signing-cert-file=${file('ca.crt')}`,
    `--cluster-signing-key-file=${file('ca.key')}`,
    '--use-service-account-credentials',
    // A folder it makes where it is missing; by default below /usr/libexec of the machine.
    `--flex-volume-plugin-dir=${join(folder, 'volume-plugins')}`,
    // How often it looks at a node anew, and takes away the taint of one that has become ready: 5 s by default.
    '--node-monitor-period=1s',
    // At the default of 20 a second, the forty controllers wait 4 s for their own tokens.
    '--kube-api-qps=500',
    '--kube-api-burst=500',
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
  ];
}

function apiSocket(folder: string): string[] {
  // `--reject-paths` forbids exec and attach unless told otherwise; the socket's folder is for root alone anyway.
  return [
    'kubectl',
    'proxy',
    `--unix-socket=${apiSocketOf(folder)}`,
    '--reject-paths=^$',
    `--kubeconfig=${adminConfig(folder)}`,
  ];
}

export function adminConfig(folder: string): string {
  return join(pkiFolder(folder), 'admin.kubeconfig');
}

function asUser(folder: string, user: string): string[] {
  const file = join(pkiFolder(folder), `${user}.kubeconfig`);
  return ['--kubeconfig', '--authentication-kubeconfig', '--authorization-kubeconfig'].map(
    (flag) => `${flag}=${file}`,
  );
}

/**
 * What the kubelet would set for the whole machine (it refuses to start where it may not): the node's kubelet is
 * shown copies of these files instead. The mounts are in a namespace below the node's own, since a container with
 * its own users may mount /proc only where the node's has nothing mounted over it.
 */
const MACHINE_SYSCTLS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

const spareTheMachine = `set -e; mount --make-rprivate /proc; cd /proc/sys
for key in ${MACHINE_SYSCTLS.join(' ')}; do
  mkdir -p /run/sysctl/\${key%/*}; cat $key > /run/sysctl/$key; mount --bind /run/sysctl/$key $key
done
exec "$@"`;

function nodeComponents({ folder, family }: Facts, node: string, index: number): ComponentSpec[] {
  const own = nodeFolder(folder, node);
  const on = (name: string, argv: readonly string[], prefix: readonly string[] = []): ComponentSpec => ({
    name: `${node}/${name}`,
    host: node,
    argv,
    prefix,
  });
  return [
    on('containerd', ['containerd', '-c', join(own, 'containerd.toml')]),
    on(
      'kubelet',
      [
        'kubelet',
        `--config=${join(own, 'kubelet.yaml')}`,
        `--kubeconfig=${join(pkiFolder(folder), `${node}.kubeconfig`)}`,
        `--node-ip=${addressing(family).nodeIps(index)}`,
        `--hostname-override=${node}`,
      ],
      ['unshare', '--mount', '--propagation', 'unchanged', 'bash', '-c', spareTheMachine, 'kubelet'],
    ),
    on('kube-proxy', ['kube-proxy', `--config=${join(own, 'kube-proxy.yaml')}`]),
  ];
}
