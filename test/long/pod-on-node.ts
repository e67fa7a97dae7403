import type { Cluster } from '../cluster/cluster.ts';

/**
 * A pod as the kernel of its node has it: to change something there behind everybody's back, and to look on, since a
 * `kubectl exec` takes seconds on a node under emulation.
 */
export interface PodOnNode {
  readonly node: string;
  readonly name: string;
  readonly uid: string;
}

export async function podsOnNodes(cluster: Cluster, namespace: string): Promise<PodOnNode[]> {
  const path = 'jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name} {.metadata.uid}{"\\n"}{end}';
  const listed = await cluster.kubectl('get', 'pods', '-n', namespace, '-o', path);
  return listed
    .trim()
    .split('\n')
    .map((line) => {
      const [node = '', name = '', uid = ''] = line.split(' ');
      return { node, name, uid };
    });
}

const keys = ['time', 'intvl', 'probes'].map((name) => `/proc/sys/net/ipv4/tcp_keepalive_${name}`);

/** What the networks of pods of one node hold, by the pods' names; empty for one that has none at this moment. */
export async function valuesOfPods(
  cluster: Cluster,
  pods: readonly PodOnNode[],
): Promise<Record<string, string>> {
  const ask = (pod: PodOnNode) =>
    `pid=$(inside ${uids(pod)}); echo ${pod.name} $([ -z "$pid" ] || nsenter -t $pid -n cat ${keys.join(' ')})`;
  const said = await cluster.onNode(pods[0]?.node ?? '', [inside, ...pods.map(ask)].join('\n'));
  const lines = said.trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', ...values] = line.split(' ');
      return [name, values.join('/')];
    }),
  );
}

/** As if somebody on the node had set it. */
export function setIn(cluster: Cluster, pod: PodOnNode, key: string, value: number): Promise<string> {
  return cluster.onNode(
    pod.node,
    `${inside}\nnsenter -t $(inside ${uids(pod)}) -n sysctl -qw ${key}=${value}`,
  );
}

/** Kills the process of a pod whose command line has these words; of `/pause`, which holds the pod's namespaces, all of it ends. */
export function killIn(cluster: Cluster, pod: PodOnNode, words: string): Promise<string> {
  const script = `for pid in $(members ${uids(pod)}); do
  case $(tr '\\0' ' ' < /proc/$pid/cmdline) in *'${words}'*) kill -9 $pid; exit;; esac
done
exit 1`;
  return cluster.onNode(pod.node, `${inside}\n${script}`);
}

/**
 * `members UID UID`: processes of the pod's control group. `inside` gives one in a network that is not the node's:
 * what watches over a container for CRI-O may stand in that group too.
 */
const inside = `members() { grep -ls -e $1 -e $2 /proc/[0-9]*/cgroup | cut -d / -f 3; }
inside() { for pid in $(members $1 $2); do
  net=$(readlink /proc/$pid/ns/net)
  if [ -n "$net" ] && [ "$net" != "$(readlink /proc/1/ns/net)" ]; then echo $pid; return; fi
done; }`;

/** Systemd has no hyphens in the names of its groups. */
function uids({ uid }: PodOnNode): string {
  return `${uid} ${uid.replaceAll('-', '_')}`;
}
