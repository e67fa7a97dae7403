import { describe, expect, test } from '@jest/globals';

import { groupFolders } from '../../../src/kernel/control-group.ts';

const hybrid = `25 30 0:23 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,size=4096k,mode=755
26 25 0:24 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
27 25 0:25 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd
28 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:12 - cgroup cgroup rw,cpu,cpuacct
29 25 0:27 / /sys/fs/cgroup/cpuset rw,nosuid shared:13 - cgroup cgroup rw,cpuset
`;
const unified =
  '33 24 0:29 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';

describe('the folders of the control groups of a process', () => {
  test.each([
    ['of version 2', '0::/init.scope\n', unified, ['/sys/fs/cgroup/init.scope']],
    [
      'of both versions, two controllers in one hierarchy',
      '9:cpu,cpuacct:/\n3:cpuset:/\n1:name=systemd:/init.scope\n0::/init.scope\n',
      hybrid,
      [
        '/sys/fs/cgroup/cpu,cpuacct',
        '/sys/fs/cgroup/cpuset',
        '/sys/fs/cgroup/systemd/init.scope',
        '/sys/fs/cgroup/unified/init.scope',
      ],
    ],
    ['without a hierarchy that is not mounted', '7:pids:/\n0::/\n', unified, ['/sys/fs/cgroup']],
    [
      'where only a part of the hierarchy is mounted, as in a node that is a container',
      '0::/docker/abc/init.scope\n',
      unified.replace(' / /sys', ' /docker/abc /sys'),
      ['/sys/fs/cgroup/init.scope'],
    ],
    [
      'not where they lie outside of that part',
      '0::/docker/abcd\n',
      unified.replace(' / /sys', ' /docker/abc /sys'),
      [],
    ],
    ['of no process that is there', '', unified, []],
  ])('%s', (_, cgroups, mountinfo, folders) => {
    expect(groupFolders(cgroups, mountinfo)).toEqual(folders);
  });
});
