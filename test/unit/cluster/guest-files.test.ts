import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import type { Family } from '../../cluster/addresses.ts';
import type { Debian } from '../../cluster/guest-node/debian.ts';
import { guestFiles } from '../../cluster/guest-node/files.ts';
import { parseGuest } from '../../cluster/guest-node/guest-spec.ts';
import { qemu } from '../../cluster/guest-node/machine.ts';
import { programsOf, unitLinks } from '../../cluster/guest-node/units.ts';

const of = (text: string, family: Family = 'ipv4') =>
  guestFiles({ guest: { name: 'g1', index: 2, spec: parseGuest(text) }, family });
const read = (files: Record<string, string>, path: string) => parse(files[path] ?? '') as unknown;

describe('the files of a guest', () => {
  test('make its kubelet use the runtime that was asked for, and systemd for control groups', () => {
    const kubelet = (text: string) => read(of(text), '/etc/kubernetes/kubelet.yaml');
    expect(kubelet('bookworm,containerd')).toMatchObject({
      cgroupDriver: 'systemd',
      containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    });
    expect(kubelet('trixie,crio')).toMatchObject({
      containerRuntimeEndpoint: 'unix:///run/crio/crio.sock',
    });
  });

  test.each([
    ['trixie,crio,crun,conmon=pod', 'crun', 'pod', '/usr/bin/crun'],
    ['trixie,crio', 'runc', 'system.slice', '/usr/local/bin/runc'],
  ])('%s: CRI-O runs %s, watched over from %s', (text, oci, conmon, path) => {
    const lines = of(text)['/etc/crio/crio.conf']?.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        `default_runtime = "${oci}"`,
        `runtime_path = "${path}"`,
        `conmon_cgroup = "${conmon}"`,
        `monitor_cgroup = "${conmon}"`,
      ]),
    );
  });

  test('of a guest with gVisor have containerd start it for each of the handlers, and of others do not', () => {
    const config = (text: string) => of(text)['/etc/containerd/config.toml'] ?? '';
    for (const handler of ['runsc', 'strict'])
      expect(config('trixie,containerd,gvisor')).toContain(
        `containerd.runtimes.${handler}]\n  runtime_type = "io.containerd.runsc.v1"`,
      );
    expect(of('trixie,containerd,gvisor')['/etc/containerd/runsc.toml']).toContain('systrap');
    expect(config('trixie,containerd')).not.toContain('runsc');
  });

  test('of a guest with containerd say nothing of CRI-O, and the other way round', () => {
    const mentions = (text: string, word: string) =>
      Object.entries(of(text)).filter(([path, content]) => `${path} ${content}`.includes(word));
    expect(mentions('bookworm,containerd', 'crio')).toEqual([]);
    expect(mentions('trixie,crio', 'containerd')).toEqual([]);
  });

  test.each([
    ['bookworm,containerd', 'nftables'],
    ['bookworm,containerd,kernel=bullseye', 'iptables'],
  ])('%s: kube-proxy writes rules for %s', (text, mode) => {
    expect(read(of(text), '/etc/kubernetes/kube-proxy.yaml')).toMatchObject({ mode, hostnameOverride: 'g1' });
  });

  test.each([
    ['ipv4', '10.99.0.2:2323', '--node-ip=10.99.0.2 '],
    ['ipv6', '[fd00:99::2]:2323', '--node-ip=fd00:99::2 '],
    ['dual', '10.99.0.2:2323', '--node-ip=10.99.0.2,fd00:99::2 '],
  ] as const)('in a cluster of %s the shell listens at %s', (family, address, nodeIp) => {
    const files = of('bookworm,containerd', family);
    expect(files['/etc/systemd/system/shell.service']).toContain(`--listen=${address} `);
    expect(files['/etc/systemd/system/kubelet.service']).toContain(nodeIp);
  });
});

test('every unit that is wanted at boot is one of ours', () => {
  const spec = parseGuest('trixie,crio');
  const files = of('trixie,crio');
  const wanted = Object.keys(unitLinks(spec)).filter((path) => path.includes('.wants/'));
  expect(wanted).toHaveLength(programsOf(spec).length + 2);
  for (const path of wanted)
    expect(files).toHaveProperty([path.replace(/[^/]*\.wants\//, '')], expect.any(String));
});

const machine = (architecture: 'amd64' | 'arm64') => {
  const debian = { architecture, release: 'trixie', image: '/root.ext4', kernel: '/vmlinuz' };
  return {
    debian: debian as unknown as Debian,
    kernel: debian as unknown as Debian,
    initrd: '/initrd',
    disks: ['/a', '/b'],
    index: 12,
    processors: 1,
    tap: 'tap0',
    monitor: '/monitor',
    logs: { crio: '/log/crio.log' },
  };
};

test.each([
  ['amd64', 'qemu-system-x86_64', 'ttyS0', 'tsc='],
  ['arm64', 'qemu-system-aarch64', 'ttyAMA0', undefined],
] as const)(
  'a machine of %s is emulated by %s, and its console is %s',
  (architecture, emulator, line, own) => {
    const argv = qemu(machine(architecture));
    const parameters = argv[argv.indexOf('-append') + 1]?.split(' ') ?? [];
    expect(argv[0]).toBe(emulator);
    expect(parameters).toContain(`console=${line}`);
    expect(parameters.some((one) => one.startsWith('tsc='))).toBe(own !== undefined);
  },
);

test('each program has a way out for its log, and no disk is written to', () => {
  const argv = qemu(machine('amd64'));
  expect(argv).toContain('file,id=log0,path=/log/crio.log,append=on');
  expect(argv).toContain('virtserialport,chardev=log0,name=crio');
  expect(argv).toContain('virtio-net-pci,netdev=net0,mac=52:54:00:00:01:0c,romfile=');
  const drives = argv.filter((word) => word.startsWith('file=') && word.includes('if=none'));
  expect(drives).toHaveLength(3);
  for (const drive of drives) expect(drive).toContain('snapshot=on');
});
