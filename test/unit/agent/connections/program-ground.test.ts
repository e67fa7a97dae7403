import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import {
  descriptorGround,
  fileSystemFault,
  isPassing,
  pinsOf,
} from '../../../../src/agent/connections/program-ground.ts';

/** As Linux numbers them; 524 is its own, and no program is meant to see it. */
test.each([
  ['EPERM', 1, false],
  ['ENOENT', 2, false],
  ['ESRCH', 3, false],
  ['E2BIG', 7, false],
  ['EBADF', 9, false],
  ['EACCES', 13, false],
  ['EINVAL', 22, false],
  ['ENOSYS', 38, false],
  ['EOPNOTSUPP', 95, false],
  ['ENOTSUPP', 524, false],
  ['EINTR', 4, true],
  ['EAGAIN', 11, true],
  ['ENOMEM', 12, true],
  ['EBUSY', 16, true],
  ['ENOSPC', 28, true],
])('whether what failed may pass is known by the number of the kernel: %s, %i', (_, number, passes) => {
  const code = getSystemErrorName(-number);
  expect(isPassing(Object.assign(new Error(`${code} at load`), { code }))).toBe(passes);
});

test('what libbpf itself refuses, and what was found missing, does not pass', () => {
  expect(isPassing(Object.assign(new Error('libbpf'), { code: "libbpf's 4002" }))).toBe(false);
  expect(isPassing(new Error('no BTF'))).toBe(false);
});

describe('what the first process of the host tells of the ground', () => {
  let procRoot: string;
  let first: string;
  const refused = (name: string) => symlinkSync(name.replace(/.*\//, ''), join(first, name));
  beforeEach(() => {
    procRoot = mkdtempSync(join(tmpdir(), 'program-ground-'));
    first = join(procRoot, '1');
    mkdirSync(join(first, 'ns'), { recursive: true });
  });
  afterEach(() => {
    rmSync(procRoot, { recursive: true });
  });

  test('without control groups of version 2 there is nothing to attach to', () => {
    writeFileSync(join(first, 'mountinfo'), '30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n');
    expect(pinsOf(procRoot)).toMatchObject({
      groupFolder: undefined,
      fault: 'no control groups of version 2',
    });
  });

  test('but who may not see whether they are there is told that, and not that they are missing', () => {
    refused('mountinfo');
    expect(pinsOf(procRoot)).toMatchObject({
      groupFolder: undefined,
      fault: 'ELOOP at mountinfo of process 1',
    });
  });

  test('processes that are numbered otherwise are those of no hostPID', () => {
    writeFileSync(join(first, 'ns/pid'), '');
    expect(descriptorGround(procRoot)).toEqual({ byDescriptors: false, fault: 'no hostPID' });
  });

  test('but who may not see how they are numbered is told that, and not that hostPID is missing', () => {
    refused('ns/pid');
    expect(descriptorGround(procRoot)).toEqual({
      byDescriptors: false,
      fault: 'ELOOP at ns/pid of process 1',
    });
  });

  test('and where they are numbered as here, descriptors are to be had', () => {
    symlinkSync('/proc/self/ns/pid', join(first, 'ns/pid'));
    expect(statSync(join(first, 'ns/pid')).ino).toBe(statSync('/proc/self/ns/pid').ino);
    expect(descriptorGround(procRoot).byDescriptors).toBe(true);
  });

  test('a folder that is not there, or of another file system, may be one of BPF in a while', () => {
    for (const folder of [join(first, 'root/sys/fs/bpf'), first]) {
      const fault = fileSystemFault(folder) ?? new Error('none');
      expect([fault.message, isPassing(fault)]).toEqual(['no BPF file system at /sys/fs/bpf', true]);
    }
  });

  test('but who may not see it is told that, and not that it is missing', () => {
    refused('root');
    const fault = fileSystemFault(join(first, 'root/sys/fs/bpf')) ?? new Error('none');
    expect([fault.message, isPassing(fault)]).toEqual(['ELOOP at /sys/fs/bpf', true]);
  });
});
