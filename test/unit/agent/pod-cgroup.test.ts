import { describe, expect, test } from '@jest/globals';

import { podFolderOf, podOfCgroups } from '../../../src/agent/pod-cgroup.ts';

const uid = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9';
const inSlices = uid.replaceAll('-', '_');
const container = `c0ffee${'0'.repeat(58)}`;
const other = 'f00d'.repeat(16);
const hash = '5d41402abc4b2a76b9719d911017c592';

test.each([
  ['cgroupfs, version 2', `0::/kubepods/burstable/pod${uid}/${container}\n`, uid, container, 1],
  ['cgroupfs, guaranteed', `0::/kubepods/pod${uid}/${container}\n`, uid, container, 1],
  [
    'systemd with containerd',
    `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${inSlices}.slice/cri-containerd-${container}.scope\n`,
    ...([uid, container, 1] as const),
  ],
  [
    'systemd with CRI-O, guaranteed',
    `0::/kubepods.slice/kubepods-pod${inSlices}.slice/crio-${container}.scope\n`,
    ...([uid, container, 1] as const),
  ],
  [
    'CRI-O with a group inside',
    `0::/kubepods.slice/kubepods-pod${inSlices}.slice/crio-${container}.scope/container\n`,
    ...([uid, container, 2] as const),
  ],
  [
    'the monitor of CRI-O, which stands beside the containers',
    `0::/kubepods.slice/kubepods-pod${inSlices}.slice/crio-conmon-${container}.scope\n`,
    ...([uid, container, 1] as const),
  ],
  [
    'Docker',
    `0::/kubepods.slice/kubepods-pod${inSlices}.slice/docker-${container}.scope\n`,
    uid,
    container,
    1,
  ],
  [
    'systemd for the kubelet, and a containerd without SystemdCgroup',
    `0::/system.slice/containerd.service/kubepods-burstable-pod${inSlices}.slice:cri-containerd:${container}\n`,
    ...([uid, container, 1] as const),
  ],
  [
    'the same in control groups of version 1, where some stand at the top',
    `11:pids:/kubepods-pod${inSlices}.slice:cri-containerd:${container}\n1:name=systemd:/system.slice/containerd.service/kubepods-pod${inSlices}.slice:cri-containerd:${container}\n`,
    ...([uid, container, 1] as const),
  ],
  [
    'the same of a container whose ID is of another kind',
    `0::/kubepods-besteffort-pod${hash}.slice:crio:sandbox\n`,
    ...([hash, undefined, 1] as const),
  ],
  [
    'the same with what such a container set up inside under the name of another’s',
    `0::/system.slice/k3s.service/kubepods-pod${inSlices}.slice:cri-containerd:${container}/pod${hash}/${other}\n`,
    ...([uid, container, 3] as const),
  ],
  [
    'kind, whose kubelet has a slice of its own in the container that is the node',
    `0::/system.slice/docker-${other}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${inSlices}.slice/cri-containerd-${container}.scope\n`,
    ...([uid, container, 1] as const),
  ],
  [
    'a node in a container of podman, with cgroupfs',
    `0::/machine.slice/libpod-${other}.scope/container/kubepods/burstable/pod${uid}/${container}\n`,
    ...([uid, container, 1] as const),
  ],
  [
    'CRI-O with cgroupfs',
    `0::/kubepods/besteffort/pod${uid}/crio-${container}\n`,
    ...([uid, container, 1] as const),
  ],
  ['a root of its own', `0::/custom/root/kubepods/burstable/pod${uid}/${container}\n`, uid, container, 1],
  [
    'version 1, where some hierarchies know no pods',
    `12:pids:/kubepods/pod${uid}/${container}\n3:cpu,cpuacct:/kubepods/pod${uid}/${container}\n1:name=systemd:/\n0::/\n`,
    ...([uid, container, 1] as const),
  ],
  ['seen from inside another control group', `0::/../../pod${uid}/${container}\n`, uid, container, 1],
  ['a static pod', `0::/kubepods/burstable/pod${hash}/${container}\n`, hash, container, 1],
  [
    'a static pod with systemd',
    `0::/kubepods.slice/kubepods-pod${hash}.slice/cri-containerd-x.scope\n`,
    ...([hash, undefined, 1] as const),
  ],
  [
    'what a container set up inside',
    `0::/kubepods/pod${uid}/${container}/docker/${container}\n`,
    ...([uid, container, 3] as const),
  ],
  [
    'what a container set up inside under the name of another’s',
    `0::/kubepods/pod${uid}/${container}/pod${hash}/${other}\n`,
    ...([uid, container, 3] as const),
  ],
  ['the group of the pod itself', `0::/kubepods/pod${uid}\n`, uid, undefined, 0],
  [
    'a cluster inside a pod',
    `0::/kubepods/pod${uid}/${container}/kubelet/kubepods/pod${hash}/${other}\n`,
    ...([uid, container, 5] as const),
  ],
])('%s', (...[, text, group, of, depth]) => {
  expect(podOfCgroups(text)).toEqual({ group, container: of, depth });
});

test.each([
  ['a service of the node', '0::/system.slice/kubelet.service\n'],
  ['the root', '0::/\n'],
  ['nothing', ''],
  ['a name that only looks like one', `0::/user.slice/tripod${uid}/x\n`],
  ['a uid that is too long', `0::/kubepods/pod${uid}0/x\n`],
  ['a uid before a name that no runtime joins to it', `0::/kubepods-pod${inSlices}.slice:${container}\n`],
  ['podman', `0::/machine.slice/libpod-${container}.scope\n`],
])('%s is no pod', (_sentence, text) => {
  expect(podOfCgroups(text)).toBeUndefined();
});

describe('the folder of a pod in control groups v2', () => {
  const uid = '0a1b2c3d-0000-4000-8000-000000000001';
  const inSystemd = uid.replaceAll('-', '_');
  test.each<[string, string | undefined]>([
    [`0::/kubepods/burstable/pod${uid}/${'c'.repeat(64)}\n`, `/kubepods/burstable/pod${uid}`],
    [`0::/kubepods/pod${uid}\n`, `/kubepods/pod${uid}`],
    [
      `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${inSystemd}.slice/crio-1.scope/container\n`,
      `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${inSystemd}.slice`,
    ],
    // What a container sets up inside is not the pod.
    [`0::/kubepods/pod${uid}/c/kubepods/pod${uid.replace('1', '2')}/x\n`, `/kubepods/pod${uid}`],
    [`8:pids:/kubepods/pod${uid}/c\n0::/\n`, undefined],
    // Each container has one, and they have none in common; nor is what one of them sets up inside the pod's.
    [`0::/system.slice/containerd.service/kubepods-pod${inSystemd}.slice:cri-containerd:c\n`, undefined],
    [`0::/kubepods-pod${inSystemd}.slice:cri-containerd:c/pod${uid.replace('1', '2')}/x\n`, undefined],
    ['0::/system.slice/ssh.service\n', undefined],
    ['', undefined],
  ])('of %j is %s', (text, folder) => {
    expect(podFolderOf(text)).toBe(folder);
  });
});
