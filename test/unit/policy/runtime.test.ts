import { describe, expect, test } from '@jest/globals';

import type { RuntimeTraits } from '../../../src/policy/runtime.ts';
import { heedsSpec, sandboxOf } from '../../../src/policy/runtime.ts';

describe('what runs a pod is told by its processes and its network', () => {
  const ordinary: RuntimeTraits = {
    program: 'pause',
    starter: 'containerd-shim-runc-v2',
    devices: ['lo', 'eth0'],
  };
  test.each<[string, Partial<RuntimeTraits>, ReturnType<typeof sandboxOf>]>([
    ['containerd and runc', {}, undefined],
    ['CRI-O without a process for the sandbox', { program: 'mongod', starter: 'conmon' }, undefined],
    ['gVisor', { program: 'runsc', starter: 'containerd-shim-runsc-v1' }, 'gVisor'],
    ['gVisor under CRI-O', { program: 'runsc', starter: 'conmon' }, 'gVisor'],
    ['gVisor on hardware that serves it', { program: 'runsc-kvm', starter: 'conmon' }, 'gVisor'],
    [
      'gVisor whose program has another name',
      { program: 'strict', starter: 'containerd-shim-runsc-v1' },
      'gVisor',
    ],
    ['gVisor that was updated while it ran', { program: 'runsc', starter: undefined }, 'gVisor'],
    ['Kata with QEMU', { program: 'qemu-system-x86_64', devices: ['lo', 'eth0', 'tap0_kata'] }, 'Kata'],
    ['Kata with a second network', { program: 'cloud-hypervisor', devices: ['lo', 'tap12_kata'] }, 'Kata'],
    ['Kata that has no tap', { program: 'firecracker', starter: 'containerd-shim-kata-v2' }, 'Kata'],
    ['Kata whose shim is the machine as well', { program: 'containerd-shim-kata-v2' }, 'Kata'],
    [
      'KubeVirt, whose guest is told of otherwise',
      { program: 'virt-launcher-monitor', devices: ['tap0', 'k6t-eth0'] },
      undefined,
    ],
    [
      'QEMU that somebody runs in a pod',
      { program: 'qemu-system-x86_64', devices: ['lo', 'tap0'] },
      undefined,
    ],
    ['a program with such a beginning', { program: 'runscript' }, undefined],
    ['a device with such a name', { devices: ['lo', 'my-tap0_kata'] }, undefined],
    ['what may not be looked at', { program: undefined, starter: undefined, devices: [] }, undefined],
  ])('%s', (_sentence, traits, sandbox) => {
    expect(sandboxOf({ ...ordinary, ...traits })).toBe(sandbox);
  });
});

test.each([
  [undefined, true],
  ['Kata', true],
  ['gVisor', false],
] as const)('with %s the sysctls of a spec are heeded: %s', (sandbox, heeds) => {
  expect(heedsSpec(sandbox)).toBe(heeds);
});
