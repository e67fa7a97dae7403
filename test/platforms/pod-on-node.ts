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
  // A static pod has two identities: its node knows it by the one that is in its annotation.
  const own = String.raw`{.metadata.annotations.kubernetes\.io/config\.hash}`;
  const path = `jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name} {.metadata.uid} ${own}{"\\n"}{end}`;
  const listed = await cluster.kubectl('get', 'pods', '-n', namespace, '-o', path);
  return listed
    .trim()
    .split('\n')
    .map((line) => {
      const [node = '', name = '', uid = '', own = ''] = line.split(' ');
      return { node, name, uid: own === '' ? uid : own };
    });
}

/** Such a pod, and the numbers that its processes have on its node. */
export interface LocatedPod extends PodOnNode {
  readonly members: readonly string[];
  /** One of them in the pod's own network; undefined where there is none at this moment. */
  readonly inside: string | undefined;
}

/** Where pods of one node are; what comes later stands elsewhere. A process costs a node under emulation what a file costs another: two are started. */
export async function locate(cluster: Cluster, pods: readonly PodOnNode[]): Promise<LocatedPod[]> {
  const script = "stat -L -c '%n:%i' /proc/[0-9]*/ns/net 2> /dev/null; grep -s '' /proc/[0-9]*/cgroup; true";
  const lines = (await cluster.onNode(pods[0]?.node ?? '', script)).split('\n').map(readLine);
  const networks = new Map(lines.filter(({ file }) => file === 'ns/net').map(({ pid, text }) => [pid, text]));
  return pods.map((pod) => {
    // Systemd has no hyphens in the names of its groups.
    const names = [pod.uid, pod.uid.replaceAll('-', '_')];
    const own = lines.filter(
      ({ file, text }) => file === 'cgroup' && names.some((one) => text.includes(one)),
    );
    const members = [...new Set(own.map(({ pid }) => pid))];
    // What watches over a container for CRI-O may stand in that group too, in the network of the node.
    const inside = members.find((pid) => networks.has(pid) && networks.get(pid) !== networks.get('1'));
    return { ...pod, members, inside };
  });
}

/** `/proc/PID/FILE:TEXT` */
function readLine(line: string) {
  const [, pid = '', file = '', text = ''] = /^\/proc\/(\d+)\/([^:]*):(.*)$/.exec(line) ?? [];
  return { pid, file, text };
}

const keys = ['time', 'intvl', 'probes'].map((name) => `/proc/sys/net/ipv4/tcp_keepalive_${name}`);

/** What the networks of pods of one node hold, by the pods' names; empty for one that is no longer where it was. */
export async function valuesOfPods(
  cluster: Cluster,
  pods: readonly LocatedPod[],
): Promise<Record<string, string>> {
  const ask = ({ name, inside }: LocatedPod) =>
    inside === undefined
      ? `echo .${name}`
      : `echo .${name}; nsenter -t ${inside} -n cat ${keys.join(' ')} 2> /dev/null || true`;
  const said = await cluster.onNode(pods[0]?.node ?? '', pods.map(ask).join('\n'));
  const words = said.split('.').slice(1);
  return Object.fromEntries(
    words.map((word) => {
      const [name = '', ...values] = word.trim().split('\n');
      return [name, values.join('/')];
    }),
  );
}

/** As if somebody on the node had set it. */
export function setIn(cluster: Cluster, { node, inside }: LocatedPod, key: string, value: number) {
  return cluster.onNode(node, `nsenter -t ${inside} -n sysctl -qw ${key}=${value}`);
}

/** Kills the process of a pod whose command line has this word; of `/pause`, which holds the pod's namespaces, all of it ends. */
export function killIn(cluster: Cluster, { node, members }: LocatedPod, word: string): Promise<string> {
  const files = members.map((pid) => `/proc/${pid}/cmdline`);
  return cluster.onNode(node, `kill -9 $(grep -las -e '${word}' ${files.join(' ')} | cut -d / -f 3)`);
}
