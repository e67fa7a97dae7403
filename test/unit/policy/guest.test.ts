import { describe, expect, test } from '@jest/globals';

import { runsGuest } from '../../../src/policy/runtime.ts';
import { team } from '../../support/builder.ts';
import type { Scene } from './node-report-rig.ts';
import { container, report, untouched } from './node-report-rig.ts';

describe('a pod in which a virtual machine runs', () => {
  const launcher = { labels: { 'kubevirt.io': 'virt-launcher' }, status: container };

  test('is live by its own network, and is told what to set in the guest', () => {
    const [policy] = report({ pods: [launcher] }).policies ?? [];
    expect(policy).toMatchObject({
      live: 1,
      findings: [{ reason: 'GuestNotReached', pod: 'mongo-0', node: 'n1' }],
    });
    expect(policy?.findings?.[0]?.message).toContain('Set the three sysctls in the guest to 30/10/6');
  });

  test.each([
    ['that is only audited, beside what its kernel lacks', { policies: [team(90, { mode: 'Audit' })] }],
    ['that is not live yet, beside that', {}],
  ])('%s', (_sentence, scene: Scene) => {
    const [policy] = report({ pods: [launcher], seen: { 'mongo-0': untouched }, ...scene }).policies ?? [];
    expect(policy?.live).toBe(0);
    expect(policy?.findings?.map(({ reason }) => reason)[1]).toBe('GuestNotReached');
  });

  test('is told nothing of it where it is left alone, or has not started', () => {
    const asked = { ...launcher, labels: { ...launcher.labels, 'keepalive.dev/skip': 'true' } };
    const seen = { 'mongo-0': untouched };
    expect(report({ pods: [asked], seen }).policies?.[0]?.findings).toMatchObject([{ reason: 'SkipLabel' }]);
    const starting = { labels: launcher.labels, phase: 'Pending' };
    expect(report({ pods: [starting], seen: {} }).policies?.[0]).not.toHaveProperty('findings');
  });

  test.each([
    ['by the label that KubeVirt gives it', { labels: { 'kubevirt.io': 'virt-launcher' } }, true],
    [
      'by its owner, whatever its labels',
      { ownerReferences: [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance' }] },
      true,
    ],
    ['not by a disk that is plugged into one', { labels: { 'kubevirt.io': 'hotplug-disk' } }, false],
    [
      'not by an owner of another group',
      { ownerReferences: [{ apiVersion: 'example.com/v1', kind: 'VirtualMachineInstance' }] },
      false,
    ],
    ['not by a label of every object’s', { labels: { constructor: 'virt-launcher' } }, false],
  ])('is known %s', (_sentence, metadata, expected) => {
    expect(runsGuest(metadata)).toBe(expected);
  });
});
