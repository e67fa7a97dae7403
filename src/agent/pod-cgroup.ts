import type { Sighting } from '../policy/pod-identity.ts';

/** Where a process stands in the control groups that the kubelet makes for pods. */
export interface PodGroup extends Sighting {
  /** How many groups below the pod's own: 1 for what a container starts with, more for what it sets up inside. */
  readonly depth: number;
}

/**
 * Finds the pod's group in the text of `/proc/PID/cgroup`, whichever control group version, driver or root the kubelet has:
 *
 * - cgroupfs: `/kubepods/burstable/pod0a1b…-…/CONTAINER`
 * - systemd: `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b…_….slice/cri-containerd-ID.scope`
 * - systemd, and a runtime that was not told of it (containerd without `SystemdCgroup = true`), which takes what it is given for a name:
 *   `/system.slice/containerd.service/kubepods-burstable-pod0a1b…_….slice:cri-containerd:ID`
 * - a static pod: `/kubepods/pod5d41402abc4b2a76b9719d911017c592/CONTAINER`
 *
 * It is named by the uid by which the kubelet knows the pod: of a static pod, the hash of its file. Where clusters are
 * nested, the innermost pod of a path is not ours to find: the first one is. What a container sets up inside, groups
 * with the names of others among it, stands behind that and leads nowhere.
 */
export function podOfCgroups(text: string): PodGroup | undefined {
  const found = podGroup.exec(text);
  if (found === null) return undefined;
  const [, uid = '', joined, below = ''] = found;
  const names = [...(joined === undefined ? [] : [joined]), ...below.split('/').slice(1)];
  return {
    group: uid.replaceAll('_', '-'),
    container: containerId.exec(names[0] ?? '')?.[1],
    depth: names.length,
  };
}

/** Who is this deep or deeper stands beside nobody's sandbox, and groups can be nested by thousands. */
const deepest = 8;

/**
 * One {@link PodGroup} for all processes that stand in the same group: of those there are as many as containers, while a tenant may
 * have as many processes, in as deep groups, as he has memory for.
 */
export class PodGroups {
  readonly #known = new Map<string, PodGroup>();

  of(text: string): PodGroup | undefined {
    const found = podOfCgroups(text);
    if (found === undefined) return undefined;
    const depth = Math.min(found.depth, deepest);
    const key = `${found.group} ${found.container ?? ''} ${depth}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { group, container } = found;
    const own = { group: copyOf(group), container: container && copyOf(container), depth };
    this.#known.set(copyOf(key), own);
    return own;
  }
}

/** V8 keeps a part of a string as a view of the whole: whoever remembers a name would remember a path of 4 KiB with it. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/**
 * The pod's own folder in control groups v2; undefined for a process of no pod, and of one whose containers' groups have nothing above
 * them that is the pod's alone.
 */
export function podFolderOf(text: string): string | undefined {
  const path = unifiedPath.exec(text)?.[1] ?? '';
  const found = podGroup.exec(path);
  if (found === null) return undefined;
  const [whole, , joined, below = ''] = found;
  return joined === undefined ? path.slice(0, found.index + whole.length - `${below}\n`.length) : undefined;
}

const unifiedPath = /^0::(\/.*\n)/m;
/** The uid; the container where its name is joined to that; what is below. */
const podGroup =
  /[/-]pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?::[^:/\n]+:([^/\n]+))?((?:\/[^/\n]+)*)\n/;
/** `ID`, `cri-containerd-ID.scope`, `crio-ID.scope`, `docker-ID.scope`. */
const containerId = /^(?:[a-z-]+-)?([0-9a-f]{64})(?:\.scope)?$/;
